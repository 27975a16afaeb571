//! A `docker run` line, as the fields of the form: what [`Draft`](super::draft::Draft) reads back as the same line.
//!
//! What has rows goes into rows, as far as these can say it; from the first value on that they cannot, a flag's values
//! stand as docker writes them, so that their order stays.

use super::draft::{ROWS, has_no, mount, publish, quoted};
use crate::{
    command::{Kind, RunLine, flags, words},
    web::extract::Fields,
};

/// The fields of the form that makes this line.
pub fn fill(line: &RunLine) -> Fields {
    let mut fields = vec![("image".to_owned(), line.image.clone()), ("command".to_owned(), words::join(&line.args))];
    for (flag, value) in &line.options {
        let known = flags::by_long(flag);
        if known.is_none_or(|known| known.client || ROWS.contains(&known.long)) {
            continue;
        }
        let kind = known.map_or(Kind::List, |known| known.kind);
        if kind != Kind::List {
            // The last counts.
            fields.retain(|(name, _)| name != flag);
        }
        match kind {
            Kind::Switch if value == "false" && !has_no(flag) => {}
            Kind::Value => fields.push((flag.clone(), quoted(value))),
            _ => fields.push((flag.clone(), value.clone())),
        }
    }
    for flag in ROWS {
        let values: Vec<&str> = line.values(flag).collect();
        let rows: Vec<_> = values.iter().map_while(|value| row(flag, value)).collect();
        let whole = values.into_iter().skip(rows.len()).map(|value| (flag.to_owned(), value.to_owned()));
        fields.extend(rows.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).chain(whole));
    }
    Fields(fields)
}

type Row = Vec<(&'static str, String)>;

fn row(flag: &str, value: &str) -> Option<Row> {
    match flag {
        "env" => pair(["env-name", "env-value"], value),
        "label" => pair(["label-name", "label-value"], value),
        "publish" => port(value),
        flag => place(flag, value),
    }
}

/// `NAME=value`; a field of one line holds no line ends, and no blanks around a name.
fn pair(names: [&'static str; 2], text: &str) -> Option<Row> {
    let (name, value) = text.split_once('=')?;
    let is_plain = !name.is_empty() && name == name.trim() && !text.contains(['\n', '\r']);
    is_plain.then(|| names.into_iter().zip([name.to_owned(), value.to_owned()]).collect())
}

/// `[ADDRESS:][HOST:]CONTAINER[/PROTOCOL]`
fn port(text: &str) -> Option<Row> {
    let (ports, protocol) = text.rsplit_once('/').unwrap_or((text, "tcp"));
    let (before, container) = ports.rsplit_once(':').unwrap_or(("", ports));
    let (address, host) = before.rsplit_once(':').unwrap_or(("", before));
    let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    let is_known = matches!(protocol, "tcp" | "udp" | "sctp");
    (is_known && publish(address, host, container, protocol) == text).then(|| {
        let cells = [address, host, container, protocol].map(str::to_owned);
        ["port-address", "port-host", "port-container", "port-protocol"].into_iter().zip(cells).collect()
    })
}

/// `SOURCE:PATH[:ro]`, and `PATH[:ro]` of a tmpfs.
fn place(flag: &str, text: &str) -> Option<Row> {
    let (text_alone, is_read_only) = text.strip_suffix(":ro").map_or((text, false), |text| (text, true));
    let (source, target) = text_alone.rsplit_once(':').unwrap_or(("", text_alone));
    let kind = match flag {
        "tmpfs" => "tmpfs",
        _ if source.starts_with('/') => "bind",
        _ => "volume",
    };
    let is_it = mount(kind, source, target, is_read_only).is_ok_and(|(by, value)| by == flag && value == text);
    is_it.then(|| {
        let cells = [kind, source, target, if is_read_only { "ro" } else { "rw" }].map(str::to_owned);
        ["mount-type", "mount-source", "mount-target", "mount-mode"].into_iter().zip(cells).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::containers::draft::Draft;

    fn lines() -> Vec<String> {
        #[derive(serde::Deserialize)]
        struct Recorded {
            line: String,
        }
        let recorded = include_str!("../../command/run/recorded.jsonl").lines();
        let mut lines: Vec<_> =
            recorded.map(|row| serde_json::from_str::<Recorded>(row).expect("a line").line).collect();
        lines.extend(
            [
                "docker run -e A -e B= -e 'C=a b' -e 'D=x\ny' -e E=5 -l a -l b=c busybox",
                "docker run -p 80 -p 1:2 -p 127.0.0.1::3 -p [::1]:4:5/udp -p 8000-8010:8000-8010/sctp -p 9/tcp -p 7 busybox",
                "docker run -v /a:/b -v x:/y:ro -v /z -v q:/q:ro,Z -v /w:/w --tmpfs /t --tmpfs /u:size=1m --tmpfs /v busybox",
                "docker run --mount type=bind,src=/a,dst=/b --mount type=volume,dst=/c,volume-nocopy --restart no busybox",
                "docker run --network a --network-alias x --network b busybox sh -c 'echo \"$A\"; # no' ''",
                "docker run --cap-add NET_ADMIN --cap-add SYS_TIME --dns 1.1.1.1 --ulimit nofile=1 --ulimit nproc=2 --name aa --name bb busybox",
                "docker run --init=false --rm=false --entrypoint '' --health-cmd '  x  y ' --no-healthcheck=false busybox",
            ]
            .map(str::to_owned),
        );
        lines
    }

    #[test]
    fn a_line_goes_through_the_form_unchanged() {
        let mut count = 0;
        for line in lines() {
            let Ok((_, read, spec)) = RunLine::check(&line) else { continue };
            // As a browser sends it.
            let form = fill(&read).0.into_iter().map(|(name, value)| (name, value.replace('\n', "\r\n")));
            let sent = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
            let again = Draft::read(&Fields::parse(sent.as_bytes())).check();
            let shown = again.line.to_command(crate::command::Verb::Run);
            assert_eq!(again.spec.as_ref(), Ok(&spec), "{line}\n{shown}\n{sent}");
            count += 1;
        }
        assert!(count > 40, "{count}");
    }
}
