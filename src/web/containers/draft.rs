//! A form that makes a container, read: from its fields to a `docker run` line, and from there to the request.

use std::collections::HashMap;

use crate::{
    command::{FLAGS, Kind, OptionError, RunLine, container_name, words},
    engine::spec::Spec,
    web::extract::{Fields, is_on},
};

/// The flags that have rows.
pub const ROWS: [&str; 6] = ["env", "label", "publish", "mount", "volume", "tmpfs"];
/// Flags whose values are words that may stand beside each other in one field.
pub const WORDS: [&str; 5] = ["network-alias", "cap-add", "cap-drop", "group-add", "dns"];

/// A form as it was sent, turned into a line.
pub struct Draft {
    line: RunLine,
    /// Which element of the form each use of a flag came from: `(flag, nth use) -> id`.
    places: HashMap<(String, usize), String>,
    /// How often each flag is used.
    uses: HashMap<String, usize>,
    errors: Vec<(String, String)>,
}

impl Draft {
    /// Reads the fields of the form. Each is named after its flag; some flags have rows of several inputs.
    pub fn read(fields: &Fields) -> Self {
        let mut draft =
            Self { line: RunLine::default(), places: HashMap::new(), uses: HashMap::new(), errors: Vec::new() };
        fields.text("image").unwrap_or_default().clone_into(&mut draft.line.image);
        draft.command(fields);
        for flag in FLAGS.iter().filter(|flag| !flag.client && !ROWS.contains(&flag.long)) {
            match flag.kind {
                // Where one line has said no, the box that is ticked after it says yes.
                Kind::Switch => match fields.all(flag.long).last() {
                    Some(said) if is_on(said) => draft.option(flag.long, "true", flag.long),
                    Some("false") if has_no(flag.long) => draft.option(flag.long, "false", flag.long),
                    _ => {}
                },
                Kind::Value => {
                    // "no" and "default" are what is so when nothing is said.
                    if let Some(value) = fields.text(flag.long).filter(|value| !is_default(flag.long, value)) {
                        draft.option(flag.long, &unquoted(value), flag.long);
                    }
                }
                Kind::List => {
                    let values = fields.all(flag.long).flat_map(|text| split(flag.long, text)).collect::<Vec<_>>();
                    values.iter().for_each(|value| draft.option(flag.long, value, flag.long));
                }
            }
        }
        draft.pairs(fields, "env");
        draft.pairs(fields, "label");
        draft.ports(fields);
        draft.mounts(fields);
        draft
    }

    fn option(&mut self, flag: &str, value: &str, place: &str) {
        let uses = self.uses.entry(flag.to_owned()).or_default();
        self.line.options.push((flag.to_owned(), value.to_owned()));
        self.places.insert((flag.to_owned(), *uses), place.to_owned());
        *uses += 1;
    }

    fn command(&mut self, fields: &Fields) {
        match shell_words::split(fields.text("command").unwrap_or_default()) {
            Ok(words) => self.line.args = words,
            Err(_) => self.errors.push(("command".into(), "A quote is not closed.".into())),
        }
    }

    /// Rows of a name and a value, lines of a pasted file, and whole `NAME=value` fields.
    fn pairs(&mut self, fields: &Fields, flag: &str) {
        let names: Vec<_> = fields.all(&format!("{flag}-name")).map(str::to_owned).collect();
        let values: Vec<_> = fields.all(&format!("{flag}-value")).map(str::to_owned).collect();
        for (row, name) in names.iter().enumerate() {
            let (name, value) = (name.trim(), values.get(row).map_or("", String::as_str));
            let place = format!("{flag}-{row}");
            match (name.is_empty(), value.is_empty()) {
                (true, true) => {}
                (true, false) => self.errors.push((place, "A value without a name.".into())),
                (false, _) => self.option(flag, &format!("{name}={value}"), &place),
            }
        }
        // Over several lines, if need be: browsers end them in their own way.
        let whole = fields.all(flag).filter(|text| !text.trim().is_empty()).map(|text| text.replace("\r\n", "\n"));
        whole.for_each(|text| self.option(flag, &text, flag));
        let pasted: Vec<_> = fields.all(&format!("{flag}-file")).flat_map(env_lines).collect();
        pasted.iter().for_each(|text| self.option(flag, text, &format!("{flag}-file")));
    }

    fn ports(&mut self, fields: &Fields) {
        let column =
            |name: &str| fields.all(&format!("port-{name}")).map(|text| text.trim().to_owned()).collect::<Vec<_>>();
        let (addresses, hosts, containers, protocols) =
            (column("address"), column("host"), column("container"), column("protocol"));
        for (row, container) in containers.iter().enumerate() {
            let cell = |column: &[String]| column.get(row).cloned().unwrap_or_default();
            let (address, host, protocol) = (cell(&addresses), cell(&hosts), cell(&protocols));
            let place = format!("port-{row}");
            if container.is_empty() {
                if !(address.is_empty() && host.is_empty()) {
                    self.errors.push((place, "Say which port inside the container it leads to.".into()));
                }
                continue;
            }
            self.option("publish", &publish(&address, &host, container, &protocol), &place);
        }
        let whole: Vec<_> = fields.all("publish").flat_map(|text| split("publish", text)).collect();
        whole.iter().for_each(|text| self.option("publish", text, "publish"));
    }

    fn mounts(&mut self, fields: &Fields) {
        let column =
            |name: &str| fields.all(&format!("mount-{name}")).map(|text| text.trim().to_owned()).collect::<Vec<_>>();
        let (kinds, sources, targets, modes) = (column("type"), column("source"), column("target"), column("mode"));
        for (row, target) in targets.iter().enumerate() {
            let cell = |column: &[String]| column.get(row).cloned().unwrap_or_default();
            let (kind, source, read_only) = (cell(&kinds), cell(&sources), cell(&modes) == "ro");
            let place = format!("mount-{row}");
            if target.is_empty() && source.is_empty() {
                continue;
            }
            match mount(&kind, &source, target, read_only) {
                Ok((flag, value)) => self.option(flag, &value, &place),
                Err(why) => self.errors.push((place, why.to_owned())),
            }
        }
        for flag in ["volume", "mount", "tmpfs"] {
            let whole: Vec<_> = fields.all(flag).flat_map(|text| split(flag, text)).collect();
            whole.iter().for_each(|text| self.option(flag, text, flag));
        }
    }

    /// The request, or what is wrong, each with the element that it is wrong in.
    pub fn check(mut self) -> Checked {
        // The line itself takes any name: the docker command leaves this to the engine.
        if let Some(Err(why)) = self.line.value("name").map(container_name) {
            self.errors.push(("name".to_owned(), why));
        }
        let Self { line, places, mut errors, .. } = self;
        let spec = line.to_spec();
        let mut checked = Checked { line, places, spec: Err(HashMap::new()) };
        match spec {
            Ok(spec) if errors.is_empty() => {
                checked.spec = Ok(spec);
                return checked;
            }
            Ok(_) => {}
            Err(wrong) => errors.extend(wrong.into_iter().map(|error| (checked.place(&error), error.message))),
        }
        let mut by_place: HashMap<String, String> = HashMap::new();
        for (place, message) in errors {
            let all = by_place.entry(place).or_default();
            if !all.is_empty() {
                all.push(' ');
            }
            all.push_str(&message);
        }
        checked.spec = Err(by_place);
        checked
    }
}

/// A form that was read.
pub struct Checked {
    /// The line that it makes.
    pub line: RunLine,
    /// The request, or what is wrong, by the element of the form that it is wrong in.
    pub spec: Result<Spec, HashMap<String, String>>,
    places: HashMap<(String, usize), String>,
}

impl Checked {
    /// What is wrong with which element.
    pub fn errors(&self) -> HashMap<String, String> {
        self.spec.as_ref().err().cloned().unwrap_or_default()
    }

    /// The element of the form that something said of a flag belongs to.
    pub fn place(&self, of: &OptionError) -> String {
        self.place_of(&of.flag, of.index)
    }

    /// The same, by the flag and which use of it.
    pub fn place_of(&self, flag: &str, index: usize) -> String {
        self.places.get(&(flag.to_owned(), index)).map_or(flag, String::as_str).to_owned()
    }
}

/// What `-p` is told.
pub fn publish(address: &str, host: &str, container: &str, protocol: &str) -> String {
    let address =
        if address.contains(':') && !address.starts_with('[') { format!("[{address}]") } else { address.to_owned() };
    let before = match (address.is_empty(), host.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("{host}:"),
        (false, _) => format!("{address}:{host}:"),
    };
    let after = if matches!(protocol, "" | "tcp") { String::new() } else { format!("/{protocol}") };
    format!("{before}{container}{after}")
}

/// The flag that mounts this, and its value: the short form where it says the same.
pub fn mount(kind: &str, source: &str, target: &str, read_only: bool) -> Result<(&'static str, String), &'static str> {
    let suffix = if read_only { ":ro" } else { "" };
    match kind {
        _ if target.is_empty() => Err("Say where in the container it goes: a path that starts with /."),
        _ if !target.starts_with('/') => Err("The path in the container has to start with /."),
        "tmpfs" if !source.is_empty() => Err("A tmpfs has no source: it is memory."),
        "tmpfs" => Ok(("tmpfs", format!("{target}{suffix}"))),
        "bind" if !source.starts_with('/') => Err("The path is on the engine’s host and has to start with /."),
        "volume" if source.contains('/') => {
            Err("A volume has a name, not a path. For a folder of the host choose bind.")
        }
        _ if source.contains([',', '"']) || target.contains([',', '"']) => {
            Err("A comma or a quote cannot stand in a path here.")
        }
        // A colon ends a part of the short form.
        _ if source.contains(':') || target.contains(':') => {
            let from = if source.is_empty() { String::new() } else { format!(",source={source}") };
            Ok(("mount", format!("type={kind}{from},target={target}{}", if read_only { ",readonly" } else { "" })))
        }
        _ if source.is_empty() && read_only => {
            Err("A new volume without a name is empty: read-only, it would stay so.")
        }
        _ if source.is_empty() => Ok(("volume", target.to_owned())),
        _ => Ok(("volume", format!("{source}:{target}{suffix}"))),
    }
}

/// A switch whose no is another thing than saying nothing: the engine has a default of its own.
pub fn has_no(flag: &str) -> bool {
    flag == "init"
}

/// A value that is one quoted word, as a shell would hand it on: so an empty one can be said.
fn unquoted(value: &str) -> String {
    if !value.starts_with(['\'', '"']) {
        return value.to_owned();
    }
    match words::split(value).as_deref() {
        Ok([word]) => word.text.clone(),
        _ => value.to_owned(),
    }
}

/// A value that [`unquoted`] reads back, without quotes where it needs none.
pub fn quoted(value: &str) -> String {
    if value.is_empty() || value != value.trim() || unquoted(value) != value {
        words::quote(value)
    } else {
        value.to_owned()
    }
}

/// What is so when nothing is said.
fn is_default(flag: &str, value: &str) -> bool {
    matches!((flag, value), ("restart", "no") | ("network", "default"))
}

/// The values in one field: a line each; words for those that are words.
fn split(flag: &str, text: &str) -> Vec<String> {
    let words = WORDS.contains(&flag);
    text.split(move |c: char| c == '\n' || (words && (c == ',' || c.is_whitespace())))
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The variables of a `.env` file, read as `docker run --env-file` reads it: no quotes are taken off.
/// Source: docker/cli, `pkg/kvfile/kvfile.go`.
pub fn env_lines(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| line.trim_start().trim_end_matches('\r'))
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Verb;

    fn line(form: &str) -> Result<String, Vec<String>> {
        let Checked { line, spec, .. } = Draft::read(&Fields::parse(form.as_bytes())).check();
        match spec {
            Ok(_) => Ok(line.to_command(Verb::Run)),
            Err(errors) => {
                let mut places: Vec<_> = errors.into_keys().collect();
                places.sort();
                Err(places)
            }
        }
    }

    #[test]
    fn a_form_is_a_docker_line() {
        assert_eq!(line("image=nginx"), Ok("docker run -d nginx".into()));
        let form = "image=web:1&name=ww&command=httpd+-f&env-name=A&env-value=x+y&env-name=&env-value=&port-address=127.0.0.1&port-host=8080\
                    &port-container=80&port-protocol=tcp&port-address=&port-host=&port-container=53&port-protocol=udp&mount-type=volume\
                    &mount-source=data&mount-target=/d&mount-mode=ro&mount-type=tmpfs&mount-source=&mount-target=/t&mount-mode=rw\
                    &restart=no&memory=512m&rm=1";
        let expected = "docker run -d --name ww --rm";
        let made = line(form).unwrap_or_default();
        assert!(made.starts_with(expected), "{made}");
        for part in [
            "-e 'A=x y'",
            "-p 127.0.0.1:8080:80",
            "-p 53/udp",
            "-v data:/d:ro",
            "--tmpfs /t",
            "-m 512m",
            "web:1 httpd -f",
        ] {
            assert!(made.contains(part), "{part} in {made}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        assert_eq!(line(""), Err(vec!["image".into()]));
        let form = "image=Nginx&name=a+b&memory=much&port-host=80&port-container=&mount-type=bind&mount-source=./x&mount-target=/x&command='";
        assert_eq!(
            line(form),
            Err(["command", "image", "memory", "mount-0", "name", "port-0"].map(String::from).to_vec())
        );
    }

    #[test]
    fn a_form_that_asks_for_too_much_is_refused() {
        let form = format!("image=nginx&env-file=A{}", "%0AA".repeat(250_000));
        assert_eq!(line(&form), Err(vec!["env-file".into()]));
    }

    #[test]
    fn env_files_are_read_as_docker_reads_them() {
        assert_eq!(env_lines("# c\n\nA=1\r\n  B=\"x\"\nC\n"), ["A=1", "B=\"x\"", "C"]);
    }
}
