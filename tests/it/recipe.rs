//! A container as what makes it again.

use serde_json::Value;

use crate::{
    create::comparable,
    support::{Console, Made, RealEngine, contains_all},
};

/// What is asked of the engine, as one would type it. `NET`, `VOLUME` and `OTHER` are put in.
const LINES: &[&str] = &[
    "busybox",
    "busybox sleep 1000",
    "web:1",
    "web:1 httpd -f -p 81",
    "--entrypoint sleep web:1 5",
    "--entrypoint '' web:1 sh -c 'echo \"$HOME\" it'\\''s; sleep 1000'",
    "-it --name-is-added --hostname inside --domainname example.com -u 1:2 -w /srv busybox sh",
    "-e 'A=x '\\''y'\\'' \"z\" $HOME `id` \\' -e B= -e 'C=line one\nline two' -e PATH=/bin -l a.b=!c -l empty web:1",
    "-p 80 -p 127.0.0.1::81/udp -p 127.0.0.1:18342:82 --expose 99 --expose 100/udp web:1",
    "-P web:1",
    "-v VOLUME:/srv:ro -v /etc:/host:ro -v /anonymous --tmpfs /t:size=1m --tmpfs /u busybox",
    "--mount type=volume,src=VOLUME,dst=/a,volume-nocopy --mount type=bind,src=/etc,dst=/b,readonly,bind-propagation=rslave --mount type=tmpfs,dst=/c,tmpfs-size=1m,tmpfs-mode=1770 busybox",
    "--network NET busybox",
    "--network NET --network-alias db --network-alias q --ip 10.211.7.9 busybox",
    "--network host busybox",
    "--network none busybox",
    "--network container:OTHER busybox",
    "--mac-address 92:d0:c6:0a:29:33 busybox",
    "--network NET --mac-address 92:d0:c6:0a:29:35 busybox",
    "--link OTHER:other --dns 9.9.9.9 --dns-option ndots:1 --dns-search example.com --add-host router:192.168.1.1 busybox",
    "--restart on-failure:3 -m 64m --memory-reservation 32m --cpus .5 --cpu-shares 512 --cpuset-cpus 0 --pids-limit 99 --shm-size 1m --ulimit nofile=10:20 --ulimit core=0 --oom-score-adj 100 busybox",
    "--restart unless-stopped -m 64m --memory-swap -1 --memory-swappiness 0 --cpu-period 50000 --cpu-quota 25000 --blkio-weight 300 busybox",
    "--privileged --pid host --ipc host --uts host busybox",
    "--cap-add NET_ADMIN --cap-add SYS_TIME --cap-drop ALL --security-opt no-new-privileges --security-opt apparmor=unconfined --read-only --group-add 7 --device /dev/null:/dev/zero2:r --device-cgroup-rule 'c 42:* rmw' --sysctl net.core.somaxconn=99 busybox",
    "--security-opt systempaths=unconfined --cgroupns host --ipc shareable --pid container:OTHER --volumes-from OTHER:ro busybox",
    "--health-cmd 'true && echo \"$A\"' --health-interval 1m30s --health-timeout 500ms --health-retries 2 --health-start-period 5s busybox",
    "--no-healthcheck --init --stop-signal SIGQUIT --stop-timeout 3 --log-driver local --log-opt max-size=1m --rm busybox",
    "--init=false --log-opt max-size=1m --annotation a=b --storage-opt size=1G --runtime runc --cgroup-parent /shop busybox",
];

/// What is compared: what somebody asked for, and how the container is on its networks.
async fn asked(engine: &RealEngine, made: &str) -> Value {
    let has = engine.inspect(made).await;
    let id = has["Id"].as_str().unwrap_or_default().get(..12).unwrap_or_default().to_owned();
    let mut networks = has["NetworkSettings"]["Networks"].clone();
    for at in networks.as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        let aliases = at["Aliases"].as_array().cloned().unwrap_or_default();
        let aliases: Vec<Value> = aliases.into_iter().filter(|alias| *alias != id.as_str()).collect();
        let ipam = if at["IPAMConfig"].as_object().is_none_or(serde_json::Map::is_empty) {
            Value::Null
        } else {
            at["IPAMConfig"].clone()
        };
        *at = serde_json::json!({ "Aliases": aliases, "IPAMConfig": ipam, "Links": at["Links"] });
    }
    let mut mounts: Vec<String> = engine
        .mounts(made)
        .await
        .into_iter()
        .map(|(name, target)| if name.len() == 64 { target } else { format!("{name}:{target}") })
        .collect();
    mounts.sort();
    let name = has["Name"].as_str().unwrap_or_default().trim_start_matches('/').to_owned();
    let mut has = has;
    for bind in has["HostConfig"]["Binds"].as_array_mut().into_iter().flatten() {
        // The engine's own name for a volume without one.
        let text = bind.as_str().unwrap_or_default().to_owned();
        *bind = text
            .split_once(':')
            .filter(|(volume, _)| volume.len() == 64)
            .map_or(text.clone(), |(_, at)| at.to_owned())
            .into();
    }
    let all = serde_json::json!({ "asked": comparable(has), "networks": networks, "mounts": mounts });
    serde_json::from_str(&all.to_string().replace(&name, "ITSELF")).expect("JSON")
}

/// Where two answers of the engine differ.
fn differences(first: &Value, second: &Value) -> String {
    match (first, second) {
        (Value::Object(one), Value::Object(other)) => {
            let keys = one.keys().chain(other.keys().filter(|key| !one.contains_key(*key)));
            let null = Value::Null;
            keys.map(|key| (key, one.get(key).unwrap_or(&null), other.get(key).unwrap_or(&null)))
                .filter(|(_, one, other)| one != other)
                .map(|(key, one, other)| format!("{key}/{}", differences(one, other)))
                .collect::<Vec<_>>()
                .join("\n")
        }
        _ => format!(" {first} is {second}"),
    }
}

/// What the lines name.
struct Around {
    net: String,
    range: &'static str,
    volume: String,
    other: String,
}

impl Around {
    /// With a network of this range: the first three numbers of its addresses.
    async fn new(engine: &RealEngine, range: &'static str) -> Self {
        let net = engine.name("net");
        let network = engine.docker(&["network", "create", "--subnet", &format!("{range}.0/24"), &net]).await;
        engine.goes_too("network", &network);
        let (volume, other) = (engine.volume("data", "").await, engine.run("other", "busybox sleep 1000").await);
        Self { net, range, volume, other: other.name }
    }

    /// A line with their names.
    fn fill(&self, line: &str) -> String {
        line.replace("NET ", &format!("{} ", self.net))
            .replace("10.211.7.", &format!("{}.", self.range))
            .replace("VOLUME", &self.volume)
            .replace("OTHER", &self.other)
            .replace("--name-is-added ", "")
    }
}

/// A container of a line; none where this engine does not know all of it, which is no matter of ours.
async fn created(engine: &RealEngine, name: String, line: &str) -> Option<String> {
    let mut words = vec!["create".to_owned(), "--name".to_owned(), name];
    words.extend(shell_words::split(line).expect("a line"));
    let Ok(id) = engine.try_docker(&words).await else {
        assert!(!engine.socket.to_string_lossy().contains("docker28") || line.contains("storage-opt"), "{line}");
        return None;
    };
    Some(id.lines().last().unwrap_or_default().to_owned())
}

async fn recipe(console: &Console, id: &str) -> Value {
    let path = format!("/containers/{id}/recipe?reveal=1");
    console.ask("GET", &path).header("accept", "application/json").send().await.expect(200).json()
}

#[tokio::test]
async fn a_container_is_a_line_that_makes_it_again() {
    for engine in [RealEngine::docker28(), RealEngine::docker20(), RealEngine::podman4()] {
        let console = Console::on(&engine).await;
        let around = Around::new(&engine, if engine.is_podman() { "10.211.9" } else { "10.211.7" }).await;
        let (mut tried, mut differ) = (0, Vec::new());
        for (at, line) in LINES.iter().enumerate() {
            let line = around.fill(line);
            // podman gives ports out when it creates, and tells another propagation than it was told.
            if engine.is_podman() && ["-p 80", "-P", "rslave"].iter().any(|part| line.contains(part)) {
                continue;
            }
            let Some(id) = created(&engine, engine.name(&format!("a{at}")), &line).await else { continue };
            console.sees(&id).await;
            let told = recipe(&console, &id).await;
            let command = told["command"].as_str().expect("a line");
            let twin = engine.name(&format!("b{at}"));
            let again = command
                .replacen("docker run -d", "docker create -d", 1)
                .replacen("docker create -d", "docker create ", 1)
                .replace(&format!("--name {}", engine.name(&format!("a{at}"))), &format!("--name {twin}"));
            let again = again.replacen("docker create it", "docker create -it", 1);
            if let Err(why) = engine.try_docker(&shell_words::split(&again).expect("words")[1..]).await {
                differ.push(format!("{line}\n{command}\n{why}"));
                continue;
            }
            let (first, second) = (asked(&engine, &id).await, asked(&engine, &twin).await);
            if first != second {
                differ.push(format!("{line}\n{command}\n{}", differences(&first, &second)));
            }
            tried += 1;
        }
        println!("{tried} of {} lines", LINES.len());
        assert!(differ.is_empty(), "{}", differ.join("\n\n"));
        assert!(tried >= if engine.is_podman() { 12 } else { 20 }, "{tried}");
    }
}

#[tokio::test]
async fn it_is_the_shortest_line() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    for (line, short) in [
        (
            "-p 127.0.0.1:18999:80 --restart unless-stopped -e A=b web:1",
            "-e A=b -p 127.0.0.1:18999:80 --restart unless-stopped web:1",
        ),
        (
            "--hostname x --memory 64m --memory-swap 128m --network bridge --ipc private --log-driver json-file busybox",
            "-h x -m 64m busybox",
        ),
    ] {
        let made: Made = engine.create("short", line).await;
        console.sees(&made.id).await;
        let told = recipe(&console, &made.id).await;
        assert_eq!(
            told["command"].as_str().map(|text| text.replace(" \\\n  ", " ")),
            Some(format!("docker run -d --name {} {short}", made.name))
        );
        let page = console.get(&made.path("recipe")).await.expect(200);
        contains_all(&page.text("main"), &["services:", "docker run -d", "container_name", "Edit", "Duplicate"]);
        engine.docker(&["rm", "-f", &made.id]).await;
    }
}

/// As `docker compose create` makes it, in a project of our own; what it says where it does not.
async fn composed(engine: &RealEngine, file: &str, project: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("compose.yaml"), file).expect("written");
    // Where the docker command of the tests has its plugins.
    let plugins = engine.socket.ancestors().nth(2).expect("the engines' folder").join("cli");
    let mut docker = tokio::process::Command::new("docker");
    docker.env("DOCKER_HOST", format!("unix://{}", engine.socket.display())).env("DOCKER_CONFIG", plugins);
    docker.args(["compose", "-p", project, "create", "--pull", "never"]).current_dir(folder.path());
    let output = docker.output().await.expect("docker runs");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// Without what compose adds, and says in its own way: its labels, the service's name on a network, the order of mounts and
/// limits (another each time), an anonymous volume as a mount.
fn without_compose(mut asked: Value) -> Value {
    let config = &mut asked["asked"]["Config"];
    // Whether a terminal is attached at once.
    config["AttachStdin"] = Value::Null;
    config["StdinOnce"] = Value::Null;
    if let Some(labels) = config["Labels"].as_object_mut() {
        labels.retain(|name, _| !name.starts_with("com.docker.compose."));
    }
    if config["Labels"].as_object().is_some_and(serde_json::Map::is_empty) {
        config["Labels"] = Value::Null;
    }
    let anonymous: Vec<String> =
        config["Volumes"].take().as_object().into_iter().flat_map(|all| all.keys().cloned()).collect();
    for at in asked["networks"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        at["Aliases"].as_array_mut().expect("aliases").retain(|alias| alias != "ITSELF");
    }
    let mounts = asked["asked"]["HostConfig"]["Mounts"].as_array().cloned().unwrap_or_default();
    let mut mounts: Vec<String> =
        mounts.iter().map(|mount| mount.to_string().replace(r#""DriverConfig":null,"#, "")).collect();
    mounts.extend(anonymous.iter().map(|at| format!(r#"{{"Target":"{at}","Type":"volume","VolumeOptions":null}}"#)));
    mounts.sort();
    let host = &mut asked["asked"]["HostConfig"];
    host["Mounts"] = mounts.into();
    if let Some(limits) = host["Ulimits"].as_array_mut() {
        limits.sort_by_key(ToString::to_string);
    }
    asked
}

#[tokio::test]
async fn a_container_is_a_compose_file_that_makes_it_again() {
    let engine = RealEngine::docker28();
    let console = Console::on(&engine).await;
    let around = Around::new(&engine, "10.211.8").await;
    let (mut tried, mut differ) = (0, Vec::new());
    for (at, line) in LINES.iter().enumerate() {
        let (line, name) = (around.fill(line), engine.name(&format!("a{at}")));
        let Some(id) = created(&engine, name.clone(), &line).await else { continue };
        console.sees(&id).await;
        let told = recipe(&console, &id).await;
        let twin = engine.name(&format!("b{at}"));
        let file = told["compose"].as_str().expect("a file").replace(&name, &twin);
        if let Err(why) = composed(&engine, &file, &twin).await {
            differ.push(format!("{line}\n{file}\n{why}"));
            continue;
        }
        engine.goes_too("network", &format!("{twin}_default"));
        let (first, second) =
            (without_compose(asked(&engine, &id).await), without_compose(asked(&engine, &twin).await));
        let is_told = told["unsaid_by_compose"].as_array().is_some_and(|all| !all.is_empty());
        if first != second && !is_told {
            differ.push(format!("{line}\n{file}\n{}", differences(&first, &second)));
        }
        tried += 1;
    }
    println!("{tried} of {} lines", LINES.len());
    assert!(differ.is_empty(), "{}", differ.join("\n\n"));
    assert!(tried >= 20, "{tried}");
}
