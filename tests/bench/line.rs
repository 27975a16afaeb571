//! How long it takes to read a `docker run` line up to the engine's request: those that the tests have recorded of the
//! docker command, and a long one. Prints one line of JSON, in microseconds; `bench.mjs` puts it into the README.

use std::{hint::black_box, time::Instant};

use wheelhouse::command::RunLine;

/// How often each is read: as often as it takes to measure, and in a test just so that it works.
const TIMES: u32 = if cfg!(debug_assertions) { 10 } else { 200 };

fn micros(line: &str) -> f64 {
    let read = |times: u32| (0..times).for_each(|_| drop(black_box(RunLine::check(black_box(line)))));
    read(TIMES / 10);
    let began = Instant::now();
    read(TIMES);
    began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
}

#[expect(clippy::expect_used, reason = "the file is ours")]
fn main() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/command/run/recorded.jsonl");
    let text = std::fs::read_to_string(file).expect("the recorded lines");
    let lines = text.lines().map(|json| serde_json::from_str::<serde_json::Value>(json).expect("JSON"));
    let lines = lines.filter_map(|json| json.get("line").and_then(|line| line.as_str()).map(str::to_owned));
    let mut all: Vec<f64> = lines.map(|line| micros(&line)).collect();
    all.sort_by(f64::total_cmp);
    let (median, worst) = (all.get(all.len() / 2), all.last());
    let long = format!("docker run -e NAME={} nginx", "x".repeat(100_000));
    println!(
        "{}",
        serde_json::json!({ "lines": all.len(), "median": median, "worst": worst, "bytes": long.len(), "long": micros(&long) })
    );
}
