//! Lines and the requests that docker CLI 28.2.2 made of them, asked of the CLI itself with a stand-in for an
//! engine that writes requests down; in `recorded.jsonl`, what says nothing (zero, empty, the CLI's defaults) is
//! left out.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Recorded {
    line: String,
    name: Option<String>,
    platform: Option<String>,
    body: Option<serde_json::Value>,
    error: Option<String>,
}

fn recorded() -> Vec<Recorded> {
    include_str!("recorded.jsonl").lines().map(|row| serde_json::from_str(row).unwrap()).collect()
}

fn errors(line: &str) -> Vec<(String, String)> {
    let found = RunLine::check(line).err().unwrap_or_default();
    found.into_iter().map(|error| (line.get(error.at).unwrap().to_owned(), error.message)).collect()
}

#[test]
fn makes_the_request_that_the_docker_command_makes() {
    for Recorded { line, name, platform, body, .. } in recorded().into_iter().filter(|row| row.error.is_none()) {
        let (_, _, spec) = RunLine::check(&line).map_err(|errors| format!("{line}: {errors:?}")).unwrap();
        assert_eq!(serde_json::to_value(&spec).unwrap(), body.unwrap(), "{line}");
        assert_eq!((spec.name, spec.platform), (name, platform), "{line}");
    }
}

#[test]
fn refuses_what_the_docker_command_refuses() {
    for Recorded { line, error, .. } in recorded().into_iter().filter(|row| row.error.is_some()) {
        assert!(RunLine::check(&line).is_err(), "{line}: {error:?}");
    }
}

#[test]
fn a_request_is_read_back() {
    for row in recorded().into_iter().filter(|row| row.error.is_none()) {
        let (_, _, spec) = RunLine::check(&row.line).unwrap();
        let mut back: Spec = serde_json::from_value(serde_json::to_value(&spec).unwrap()).unwrap();
        (back.name, back.platform) = (spec.name.clone(), spec.platform.clone());
        assert_eq!(back, spec, "{}", row.line);
    }
    assert_eq!(
        serde_json::from_str::<Spec>(r#"{"Env": null, "HostConfig": {"Binds": null}}"#).unwrap(),
        Spec::default()
    );
}

#[test]
fn what_is_written_is_read_back() {
    for row in recorded() {
        if let Ok((verb, line)) = RunLine::parse(&row.line) {
            assert_eq!(RunLine::parse(&line.to_command(verb)), Ok((verb, line.clone())), "{}", row.line);
            assert_eq!(RunLine::parse(&line.to_command_multiline(verb)), Ok((verb, line)), "{}", row.line);
        }
    }
}

/// Every flag with every awkward value, on one line.
#[test]
fn awkward_values_are_read_back() {
    let awkward = ["", "-", "--", "-x", "a=b", "it's \"$HOME\"", "two\nlines", "\\", " ", "#", "&&", "é", "=", "='"];
    let mut line = RunLine { image: "--".to_owned(), args: awkward.map(str::to_owned).to_vec(), ..RunLine::default() };
    for flag in flags::FLAGS.iter().filter(|flag| flag.long != "attach") {
        let values: &[&str] = if flag.kind == Kind::Switch { &["true", "false"] } else { &awkward };
        line.options.extend(values.iter().map(|value| (flag.long.to_owned(), (*value).to_owned())));
    }
    for (first, _) in awkward.iter().enumerate() {
        line.options.rotate_left(first);
        assert_eq!(RunLine::parse(&line.to_command(Verb::Run)), Ok((Verb::Run, line.clone())));
        assert_eq!(RunLine::parse(&line.to_command_multiline(Verb::Run)), Ok((Verb::Run, line.clone())));
    }
}

#[test]
fn writes_the_line_that_people_write() {
    let nice = |line: &str| {
        let (verb, line) = RunLine::parse(line).unwrap();
        line.to_command(verb)
    };
    assert_eq!(
        nice("docker container run --detach --name=web --publish=8080:80 nginx"),
        "docker run -d --name web -p 8080:80 nginx"
    );
    assert_eq!(nice("podman run --interactive --tty --rm alpine sh"), "docker run -dit --rm alpine sh");
    assert_eq!(
        nice("docker run --rm -ti -eA='b c' --cpu-shares=5 alpine"),
        "docker run -d --rm -ti -e 'A=b c' --cpu-shares 5 alpine"
    );
    assert_eq!(
        nice("docker create --net shop --init=false busybox true"),
        "docker create --network shop --init=false busybox true"
    );
}

#[test]
fn long_lines_are_broken_before_flags() {
    let line = "docker run -d --name web -v data:/var/lib/data -p 8080:80 --restart unless-stopped nginx:1.27 nginx -g 'daemon off;'";
    let (verb, run) = RunLine::parse(line).unwrap();
    let expected = [
        "docker run -d",
        "  --name web",
        "  -v data:/var/lib/data",
        "  -p 8080:80",
        "  --restart unless-stopped",
        "  nginx:1.27 nginx -g 'daemon off;'",
    ];
    assert_eq!(run.to_command(verb), line);
    assert_eq!(run.to_command_multiline(verb), expected.join(" \\\n"));
}

#[test]
fn errors_point_at_the_word() {
    let at = |line: &str| errors(line).into_iter().map(|(word, _)| word).collect::<Vec<_>>();
    assert_eq!(at("docker ps"), ["ps"]);
    assert_eq!(at("ls -l"), ["ls"]);
    assert_eq!(at("docker run -dz nginx"), ["-dz"]);
    assert_eq!(at("docker run --volum a:/a nginx"), ["--volum"]);
    assert_eq!(at("docker run -d && docker ps"), ["&&"]);
    assert_eq!(at("docker run -d \\ \n nginx"), ["\\ "]);
    assert_eq!(at("docker run -e 'A=b nginx"), ["'A=b nginx"]);
    assert_eq!(at("docker run -d –name web nginx"), ["–name"]);
    assert_eq!(at("docker run -d"), [""]);
    assert_eq!(RunLine::check("docker run -d").unwrap_err().first().map(|error| error.word), Some(3));
}

#[test]
fn what_is_for_a_shell_is_no_part_of_a_value() {
    let at = |line: &str| errors(line).into_iter().map(|(word, _)| word).collect::<Vec<_>>();
    for (line, word) in [
        ("docker run busybox sh; echo hi", ";"),
        ("docker run busybox sh&", "&"),
        ("docker run busybox>log", ">"),
        ("docker run busybox 2>&1", "2>&1"),
        ("docker run busybox (date)", "("),
        ("docker run -e URL=http://x?a=1&b=2 busybox", "&"),
        ("docker pull busybox && docker run busybox", "&&"),
        ("docker volume create data\ndocker run -v data:/data busybox", "docker"),
        ("docker run -d busybox\ndocker ps", "docker"),
        ("docker run -e KEY=<your key> busybox", "<your key>"),
        ("docker -H tcp://build:2375 run busybox", "-H"),
    ] {
        assert_eq!(at(line), [word], "{line}");
    }
    assert!(errors("DOCKER_HOST=x docker run busybox")[0].1.contains("setting for docker"));
    let told = errors("docker run --name <name> busybox");
    assert!(told[0].1.contains("<name> holds the place"), "{told:?}");
}

#[test]
fn what_was_meant_is_offered() {
    for (flag, meant) in [("--memry 1g", "--memory?"), ("--publsh 1:1", "--publish?"), ("--nmae x", "--name?")] {
        let told = errors(&format!("docker run {flag} busybox"));
        assert!(told[0].1.ends_with(&format!("did you mean {meant}")), "{told:?}");
    }
    assert_eq!(errors("docker run --quux x busybox")[0].1, "docker run has no flag --quux");
}

#[test]
fn values_are_read_as_the_docker_command_reads_them() {
    let spec = |line: &str| RunLine::check(line).unwrap().2.host_config;
    assert_eq!(spec("docker run --cpus 1/2 busybox").nano_cpus, 500_000_000);
    assert_eq!(errors("docker run --cpus 1/3 --cpus 1/0 busybox").len(), 2);
    let mount = &spec("docker run --mount TYPE=bind,SRC=/a,Dst=/b,ReadOnly busybox").mounts[0];
    assert_eq!((mount.source.as_str(), mount.target.as_str(), mount.read_only), ("/a", "/b", true));
}

#[test]
fn an_outline_says_that_it_is_one() {
    let outline = |line: &str| RunLine::parse(line).unwrap().1.to_outline(Verb::Run);
    assert_eq!(outline("docker run -d --name web busybox"), "docker run -d --name web busybox");
    let short = outline("docker run --name web -v a:/a busybox sleep 1");
    assert_eq!(short, "docker run -d --name web busybox  # shortened: what may hold secrets is left out");
    assert_eq!(RunLine::parse(&short).unwrap().1.image, "busybox");
}

#[test]
fn what_was_copied_along_is_left_out() {
    let plain = RunLine::parse("docker run -d --name web busybox").unwrap();
    for line in [
        "# it's a start\ndocker run -d \\\n  --name web busybox # and that's it",
        "me@host:~/app$ sudo -E docker run -d --name web busybox",
        "PS C:\\> docker run -d `\r\n  --name web `\r\n  busybox",
        "> docker run -d ^\n  --name web busybox\n",
        "docker run -d --name web `#optional` busybox \\",
    ] {
        assert_eq!(RunLine::parse(line), Ok(plain.clone()), "{line}");
    }
}

#[test]
fn all_errors_are_found_at_once() {
    let line = "docker run -m lots -p 80:80 -p 'x:80' -v ./here:/there --rm --restart always Nginx";
    let mut words: Vec<String> = errors(line).into_iter().map(|(word, _)| word).collect();
    words.sort();
    assert_eq!(words, ["'x:80'", "--rm", "./here:/there", "Nginx", "lots"]);
    let spec = RunLine::parse(line).unwrap().1.to_spec().unwrap_err();
    assert!(spec.iter().any(|error| error.flag == "publish" && error.index == 1), "{spec:?}");
}

#[test]
fn paths_that_a_shell_would_have_completed_are_refused() {
    for source in ["./x", "..", ".", ".cache", "$PWD", "$(pwd)/x"] {
        let line = format!("docker run -v '{source}:/x' --mount 'type=bind,src={source},dst=/y' nginx");
        assert_eq!(errors(&line).len(), 2, "{line}");
    }
}

#[test]
fn hiding_nothing_is_not_the_same_as_saying_nothing() {
    let (_, _, spec) = RunLine::check("docker run --security-opt systempaths=unconfined nginx").unwrap();
    let json = serde_json::to_value(&spec).unwrap();
    assert_eq!(json.pointer("/HostConfig"), Some(&serde_json::json!({"MaskedPaths": [], "ReadonlyPaths": []})));
}

#[test]
fn short_lines_that_ask_for_too_much_are_refused() {
    let line = format!("docker run {} nginx", "-p 1-65535:1-65535 ".repeat(3));
    assert_eq!(errors(&line).len(), 1);
    let line = format!("docker run {} nginx", "--expose 1-65535 ".repeat(3));
    assert_eq!(errors(&line).len(), 1);
    assert_eq!(errors("docker run -p target=80=80 nginx").len(), 1);
    for flag in ["--expose 1-65535 ", "-v a:/b ", "-m x "] {
        let line = format!("docker run {}nginx", flag.repeat(60_000));
        assert_eq!(errors(&line).len(), 1, "{flag}");
    }
}

#[test]
fn doubts_and_dangers_do_not_stop_a_line() {
    let line = "docker run --name some-%%REPO%% -v ~/x:/x -v a:/data -e GONE -e 'A=$HOME' -e 'B=5$' --privileged --pid container:b nginx";
    let (_, run, _) = RunLine::check(line).unwrap();
    let flags = |remarks: Vec<OptionError>| remarks.into_iter().map(|r| (r.flag, r.index)).collect::<Vec<_>>();
    let owned = |flag: &str, index: usize| (flag.to_owned(), index);
    assert_eq!(
        flags(run.doubts()),
        [owned("name", 0), owned("env", 0), owned("env", 1), owned("volume", 0), owned("volume", 1)]
    );
    assert_eq!(flags(run.dangers()), [owned("privileged", 0)]);
}

#[test]
fn s044_an_outline_has_no_options_of_drivers() {
    let outline = |line: &str| RunLine::parse(line).unwrap().1.outline().to_command(Verb::Run);
    assert_eq!(
        outline("docker run --network shop --network 'name=a,\"driver-opt=token=x\"' -e A=b nginx ls"),
        "docker run -d --network shop nginx"
    );
}
