//! Everything about one image: what it declares, and the layers that it is made of.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Images, LIST, normal};
use crate::engine::{
    Engine, EnvVar, Error, HIDDEN, ImageId, Secrets,
    containers::or_default,
    reach::{Reach, told_image},
};

/// Everything about an image.
#[derive(Debug, Clone)]
pub struct ImageDetail {
    /// What it declares for the containers that are made of it.
    pub declared: Declared,
    /// For which kind of machine: `linux/amd64`.
    pub platform: String,
    /// Who says to have made it.
    pub author: String,
    /// What was said when it was made.
    pub comment: String,
    /// Its layers and the lines that made them, the newest first.
    pub layers: Vec<Layer>,
    /// The engine's own object.
    pub raw: Value,
}

/// What an image declares: its containers have it where they do not say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Declared {
    /// ENTRYPOINT, word by word.
    #[serde(deserialize_with = "or_default")]
    pub entrypoint: Vec<String>,
    /// CMD, word by word.
    #[serde(deserialize_with = "or_default")]
    pub cmd: Vec<String>,
    /// ENV.
    #[serde(deserialize_with = "variables")]
    pub env: Vec<EnvVar>,
    /// EXPOSE: `80/tcp`.
    #[serde(rename = "ExposedPorts", deserialize_with = "keys")]
    pub ports: Vec<String>,
    /// VOLUME: paths.
    #[serde(deserialize_with = "keys")]
    pub volumes: Vec<String>,
    /// USER.
    #[serde(deserialize_with = "or_default")]
    pub user: String,
    /// WORKDIR.
    #[serde(rename = "WorkingDir", deserialize_with = "or_default")]
    pub workdir: String,
    /// HEALTHCHECK.
    #[serde(deserialize_with = "or_default")]
    pub healthcheck: Option<Healthcheck>,
    /// STOPSIGNAL.
    #[serde(deserialize_with = "or_default")]
    pub stop_signal: String,
    /// LABEL.
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
}

/// What is asked inside to learn whether it works.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Healthcheck {
    /// `CMD-SHELL` and a line, or `CMD` and words.
    #[serde(deserialize_with = "or_default")]
    pub test: Vec<String>,
    /// Nanoseconds from one to the next; 0 for the engine's 30 s.
    pub interval: u64,
}

impl Healthcheck {
    /// What is run, as one would type it.
    pub fn line(&self) -> String {
        let words = self.test.iter().filter(|word| !matches!(word.as_str(), "CMD" | "CMD-SHELL"));
        words.map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// How long from one to the next.
    pub fn every(&self) -> Duration {
        if self.interval == 0 { Duration::from_secs(30) } else { Duration::from_nanos(self.interval) }
    }
}

fn variables<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<EnvVar>, D::Error> {
    let pairs = Option::<Vec<String>>::deserialize(from)?.unwrap_or_default();
    let read = |pair: String| {
        let (name, value) = pair.split_once('=').unwrap_or((&pair, ""));
        EnvVar { name: name.to_owned(), value: value.to_owned() }
    };
    Ok(pairs.into_iter().map(read).collect())
}

fn keys<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::<BTreeMap<String, Value>>::deserialize(from)?.unwrap_or_default().into_keys().collect())
}

/// A layer, or a line of the Dockerfile that made none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The line of the Dockerfile, as far as the engine kept it.
    pub line: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// What it adds, in bytes.
    pub size: u64,
    /// Tags of the image that ends here.
    pub tags: Vec<String>,
    /// What was said when it was made.
    pub comment: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    #[serde(default)]
    created: i64,
    #[serde(default, deserialize_with = "or_default")]
    created_by: String,
    #[serde(default, deserialize_with = "or_default")]
    tags: Vec<String>,
    #[serde(default)]
    size: i64,
    #[serde(default, deserialize_with = "or_default")]
    comment: String,
}

impl From<Listed> for Layer {
    fn from(listed: Listed) -> Self {
        Self {
            line: dockerfile_line(&listed.created_by),
            created: Timestamp::from_second(listed.created).ok().filter(|at| at.as_second() > 0),
            size: u64::try_from(listed.size).unwrap_or_default(),
            tags: listed.tags,
            comment: listed.comment,
        }
    }
}

/// What somebody wrote into a Dockerfile, out of what a builder makes of it: `/bin/sh -c #(nop)  CMD ["sh"]` was CMD.
fn dockerfile_line(created_by: &str) -> String {
    let line = created_by.trim().trim_end_matches("# buildkit").trim();
    if let Some((_, instruction)) = line.split_once("#(nop)") {
        return instruction.trim().to_owned();
    }
    // Build arguments stand before the shell: `|1 VERSION=2 /bin/sh -c make`.
    let (arguments, command) = match line.find("/bin/sh -c ") {
        Some(at) if line.starts_with('|') || at == 0 || line.starts_with("RUN ") => {
            (line.get(..at).unwrap_or_default(), line.get(at + "/bin/sh -c ".len()..).unwrap_or_default())
        }
        _ => return line.to_owned(),
    };
    let with = arguments.trim_start_matches("RUN ").trim_start_matches('|');
    let with = with.split_once(' ').map_or("", |(_, with)| with.trim());
    if with.is_empty() { format!("RUN {}", command.trim()) } else { format!("RUN {}  # with {with}", command.trim()) }
}

impl Reach {
    /// What an image declares: values of variables may be secrets, and so may all that is run.
    fn declared(&self, mut declared: Declared) -> Declared {
        let hidden = || HIDDEN.to_owned();
        if self.secrets < Secrets::Shown {
            declared.env.iter_mut().for_each(|EnvVar { value, .. }| *value = hidden());
        }
        if self.hides() {
            let all = |words: Vec<String>| if words.is_empty() { words } else { vec![hidden()] };
            declared.entrypoint = all(declared.entrypoint);
            declared.cmd = all(declared.cmd);
            declared.labels = self.labels(&declared.labels);
            if let Some(check) = &mut declared.healthcheck {
                check.test = vec![hidden()];
            }
        }
        declared
    }
}

impl Images<'_> {
    /// Everything about an image, as far as this reach goes.
    pub async fn get(&self, id: &ImageId) -> Result<ImageDetail, Error> {
        let engine: &Engine = self.0;
        engine.reaches_image(id)?;
        engine.reachable()?;
        let path = format!("/images/{id}/history");
        let (raw, layers) = tokio::try_join!(self.raw(id.as_str()), engine.wire.get_within::<Vec<Listed>>(&path, LIST))
            .map_err(|error| engine.told(error))?;
        let text = |name: &str| raw.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let machine = [text("Os"), text("Architecture"), text("Variant")];
        let hides = engine.reach.hides();
        let told = |text: String| if hides && !text.is_empty() { HIDDEN.to_owned() } else { text };
        let layers = layers.into_iter().map(Layer::from).map(|layer| Layer {
            // Which instruction it is, is known to be harmless; what it says is not.
            line: match layer.line.split_once(' ') {
                Some((word, _)) if hides && word.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                    format!("{word} {HIDDEN}")
                }
                _ => told(layer.line),
            },
            comment: told(layer.comment),
            ..layer
        });
        Ok(ImageDetail {
            declared: engine.reach.declared(declared(&raw)),
            platform: machine.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"),
            author: told(text("Author")),
            comment: told(text("Comment")),
            layers: layers.collect(),
            raw: told_image(&engine.reach, raw),
        })
    }

    /// What an image declares that the engine has; none where it has no such image, or this reach does not see it.
    pub async fn declared(&self, reference: &str) -> Result<Option<(ImageId, Declared)>, Error> {
        let engine: &Engine = self.0;
        let picture = engine.picture();
        // podman puts what it builds below localhost/.
        let found = picture.image_of(reference).or_else(|| picture.image_of(&format!("localhost/{reference}")));
        let Some(image) = found.filter(|_| !normal(reference).is_empty()) else { return Ok(None) };
        let raw = self.raw(image.id.as_str()).await.map_err(|error| engine.told(error))?;
        Ok(Some((image.id.clone(), engine.reach.declared(declared(&raw)))))
    }
}

/// Reads what an image declares and how it was made, whatever that is.
#[cfg(any(test, fuzzing))]
pub(super) fn reads(value: &Value) {
    let _ = declared(value);
    let _ = serde_json::from_value::<Listed>(value.clone()).map(Layer::from);
}

fn declared(raw: &Value) -> Declared {
    raw.get("Config").cloned().and_then(|config| serde_json::from_value(config).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_of_a_dockerfile_come_back() {
        for (told, line) in [
            ("/bin/sh -c #(nop)  CMD [\"sh\"]", "CMD [\"sh\"]"),
            ("/bin/sh -c apk add curl", "RUN apk add curl"),
            ("RUN /bin/sh -c apk add curl # buildkit", "RUN apk add curl"),
            ("|1 VERSION=2 /bin/sh -c make", "RUN make  # with VERSION=2"),
            ("RUN |1 VERSION=2 /bin/sh -c make # buildkit", "RUN make  # with VERSION=2"),
            ("COPY a /a # buildkit", "COPY a /a"),
            ("ENV A=b", "ENV A=b"),
            ("", ""),
        ] {
            assert_eq!(dockerfile_line(told), line);
        }
    }

    #[test]
    fn s044_what_an_image_declares_is_told_as_far_as_it_may_be() {
        let raw = json!({"Config": {"Env": ["TOKEN=hunter2"], "Cmd": ["echo", "hunter2"], "Entrypoint": null,
            "ExposedPorts": {"80/tcp": {}}, "Volumes": null, "Labels": {"x": "hunter2"},
            "Healthcheck": {"Test": ["CMD-SHELL", "echo hunter2"]}}});
        let all = declared(&raw);
        assert_eq!((all.ports.as_slice(), all.cmd.len()), (&["80/tcp".to_owned()][..], 2));
        let seen = format!("{:?}", Reach::viewer(Vec::new()).declared(all.clone()));
        assert!(!seen.contains("hunter2") && seen.contains("TOKEN"), "{seen}");
        let admin = Reach::admin().declared(all.clone());
        assert_eq!((admin.env[0].value.as_str(), admin.cmd[1].as_str()), (HIDDEN, "hunter2"));
        assert_eq!(Reach::everything().declared(all.clone()), all);
    }
}
