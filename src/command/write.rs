//! A request, as the shortest line that makes it: the way back of [`RunLine::to_spec`].

use std::collections::BTreeMap;

use super::{RunLine, flags::is_made_by_user, words};
use crate::engine::spec::{
    BindOptions, Device, DeviceRate, DeviceRequest, Endpoint, Healthcheck, HostConfig, Mount, PortBinding, Spec,
    Ulimit, VolumeOptions,
};

/// A line, and what of the request no line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The line.
    pub line: RunLine,
    /// Sentences on what the line says otherwise, or not at all.
    pub unsaid: Vec<String>,
}

impl Written {
    /// The line that makes this request.
    pub fn of(spec: &Spec) -> Self {
        let mut writer = Self::default();
        writer.line.image.clone_from(&spec.image);
        writer.basics(spec);
        writer.environment(spec);
        writer.ports(spec);
        writer.mounts(&spec.host_config, spec);
        writer.networks(spec);
        writer.resources(&spec.host_config);
        writer.security(&spec.host_config);
        writer.advanced(spec);
        writer
    }

    fn say(&mut self, flag: &str, value: impl Into<String>) {
        self.line.options.push((flag.to_owned(), value.into()));
    }

    fn unless_empty(&mut self, flag: &str, value: &str) {
        if !value.is_empty() {
            self.say(flag, value);
        }
    }

    fn when(&mut self, flag: &str, is_so: bool) {
        if is_so {
            self.say(flag, "true");
        }
    }

    fn number(&mut self, flag: &str, value: i64) {
        if value != 0 {
            self.say(flag, value.to_string());
        }
    }

    fn size(&mut self, flag: &str, bytes: i64) {
        if bytes != 0 {
            self.say(flag, size(bytes));
        }
    }

    fn time(&mut self, flag: &str, nanoseconds: i64) {
        if nanoseconds != 0 {
            self.say(flag, time(nanoseconds));
        }
    }

    fn all(&mut self, flag: &str, values: &[String]) {
        values.iter().for_each(|value| self.say(flag, value.clone()));
    }

    fn pairs(&mut self, flag: &str, map: &BTreeMap<String, String>) {
        for (name, value) in map {
            self.say(flag, if value.is_empty() { name.clone() } else { format!("{name}={value}") });
        }
    }

    fn settings(&mut self, flag: &str, map: &BTreeMap<String, String>) {
        map.iter().for_each(|(name, value)| self.say(flag, format!("{name}={value}")));
    }

    fn basics(&mut self, spec: &Spec) {
        self.unless_empty("name", spec.name.as_deref().unwrap_or_default());
        self.when("interactive", spec.open_stdin);
        self.when("tty", spec.tty);
        self.when("rm", spec.host_config.auto_remove);
        self.unless_empty("workdir", &spec.working_dir);
        let mut args = Vec::new();
        match spec.entrypoint.as_slice() {
            [] => {}
            [program] => self.say("entrypoint", program.clone()),
            [program, rest @ ..] => {
                self.say("entrypoint", program.clone());
                args.extend_from_slice(rest);
                self.unsaid.push(format!(
                    "Its entrypoint has {} words, and --entrypoint takes one: the others stand before the arguments, which \
                     runs the same.",
                    spec.entrypoint.len()
                ));
            }
        }
        args.extend_from_slice(&spec.cmd);
        self.line.args = args;
        self.unless_empty("hostname", &spec.hostname);
        self.unless_empty("domainname", &spec.domainname);
        self.unless_empty("platform", spec.platform.as_deref().unwrap_or_default());
        self.pairs("label", &spec.labels);
    }

    fn environment(&mut self, spec: &Spec) {
        self.all("env", &spec.env);
    }

    fn ports(&mut self, spec: &Spec) {
        let host = &spec.host_config;
        for (port, places) in &host.port_bindings {
            for place in places {
                self.say("publish", published(port, place));
            }
        }
        self.when("publish-all", host.publish_all_ports);
        for port in spec.exposed_ports.0.iter().filter(|port| !host.port_bindings.contains_key(*port)) {
            self.say("expose", port.strip_suffix("/tcp").unwrap_or(port));
        }
    }

    fn mounts(&mut self, host: &HostConfig, spec: &Spec) {
        self.all("volume", &host.binds);
        spec.volumes.0.iter().for_each(|path| self.say("volume", path.clone()));
        host.mounts.iter().for_each(|it| self.say("mount", mount(it)));
        for (path, options) in &host.tmpfs {
            self.say("tmpfs", if options.is_empty() { path.clone() } else { format!("{path}:{options}") });
        }
        self.all("volumes-from", &host.volumes_from);
        self.unless_empty("volume-driver", &host.volume_driver);
    }

    fn networks(&mut self, spec: &Spec) {
        let host = &spec.host_config;
        let endpoints = &spec.networking_config.endpoints_config;
        let mode = host.network_mode.as_str();
        let first = endpoints.get(mode);
        // One network by its name, and flags of its own for the rest; several each in the long form where they have to.
        if !matches!(mode, "" | "default") {
            let one = first.filter(|endpoint| endpoints.len() > 1 || is_long(endpoint));
            self.say("network", one.map_or_else(|| mode.to_owned(), |endpoint| network(mode, endpoint)));
        }
        for (name, endpoint) in endpoints.iter().filter(|(name, _)| *name != mode) {
            self.say("network", network(name, endpoint));
        }
        if let Some(endpoint) =
            first.filter(|endpoint| matches!(mode, "" | "default") || endpoints.len() == 1 && !is_long(endpoint))
        {
            self.all("network-alias", &endpoint.aliases);
            if let Some(addresses) = &endpoint.ipam_config {
                self.unless_empty("ip", &addresses.ipv4_address);
                self.unless_empty("ip6", &addresses.ipv6_address);
                self.all("link-local-ip", &addresses.link_local_ips);
            }
            self.unless_empty("mac-address", &endpoint.mac_address);
        }
        // Those of a network that somebody made stand in both places.
        let links = first.filter(|_| is_made_by_user(mode)).map_or(&host.links, |endpoint| &endpoint.links);
        self.all("link", links);
        self.all("dns", &host.dns);
        self.all("dns-option", &host.dns_options);
        self.all("dns-search", &host.dns_search);
        self.all("add-host", &host.extra_hosts);
    }

    fn resources(&mut self, host: &HostConfig) {
        let policy = &host.restart_policy;
        match policy.maximum_retry_count {
            0 => self.unless_empty("restart", &policy.name),
            tries => self.say("restart", format!("{}:{tries}", policy.name)),
        }
        self.size("memory", host.memory);
        self.size("memory-reservation", host.memory_reservation);
        match host.memory_swap {
            -1 => self.say("memory-swap", "-1"),
            bytes => self.size("memory-swap", bytes),
        }
        if let Some(percent) = host.memory_swappiness {
            self.say("memory-swappiness", percent.to_string());
        }
        self.size("shm-size", host.shm_size);
        self.when("oom-kill-disable", host.oom_kill_disable);
        self.number("oom-score-adj", host.oom_score_adj);
        if host.nano_cpus != 0 {
            self.say("cpus", processors(host.nano_cpus));
        }
        self.number("cpu-shares", host.cpu_shares);
        self.number("cpu-period", host.cpu_period);
        self.number("cpu-quota", host.cpu_quota);
        self.number("cpu-rt-period", host.cpu_realtime_period);
        self.number("cpu-rt-runtime", host.cpu_realtime_runtime);
        self.unless_empty("cpuset-cpus", &host.cpuset_cpus);
        self.unless_empty("cpuset-mems", &host.cpuset_mems);
        self.number("pids-limit", host.pids_limit);
        host.ulimits.iter().for_each(|limit| self.say("ulimit", ulimit(limit)));
        self.number("blkio-weight", host.blkio_weight.into());
        for device in &host.blkio_weight_device {
            self.say("blkio-weight-device", format!("{}:{}", device.path, device.weight));
        }
        let rates = [
            ("device-read-bps", &host.blkio_device_read_bps, true),
            ("device-write-bps", &host.blkio_device_write_bps, true),
            ("device-read-iops", &host.blkio_device_read_iops, false),
            ("device-write-iops", &host.blkio_device_write_iops, false),
        ];
        for (flag, devices, in_bytes) in rates {
            devices.iter().for_each(|device| self.say(flag, rate(device, in_bytes)));
        }
    }

    fn security(&mut self, host: &HostConfig) {
        self.all("group-add", &host.group_add);
        self.when("read-only", host.readonly_rootfs);
        self.when("privileged", host.privileged);
        let bare = |names: &[String]| -> Vec<String> {
            names.iter().map(|name| name.strip_prefix("CAP_").unwrap_or(name).to_owned()).collect()
        };
        self.all("cap-add", &bare(&host.cap_add));
        self.all("cap-drop", &bare(&host.cap_drop));
        self.all("security-opt", &host.security_opt);
        if host.masked_paths.as_ref().is_some_and(Vec::is_empty) {
            self.say("security-opt", "systempaths=unconfined");
        }
        for request in &host.device_requests {
            if request.driver == "cdi" {
                self.all("device", &request.device_ids);
            } else {
                match gpus(request) {
                    Some(value) => self.say("gpus", value),
                    None => self.unsaid.push("It asks for devices in a way that no flag has.".to_owned()),
                }
            }
        }
        host.devices.iter().for_each(|it| self.say("device", device(it)));
        self.all("device-cgroup-rule", &host.device_cgroup_rules);
        self.unless_empty("pid", &host.pid_mode);
        self.unless_empty("ipc", &host.ipc_mode);
        self.unless_empty("uts", &host.uts_mode);
        self.unless_empty("userns", &host.userns_mode);
        self.unless_empty("cgroupns", &host.cgroupns_mode);
        self.settings("sysctl", &host.sysctls);
    }

    fn advanced(&mut self, spec: &Spec) {
        let host = &spec.host_config;
        self.unless_empty("user", &spec.user);
        if let Some(check) = &spec.healthcheck {
            self.health(check);
        }
        if let Some(init) = host.init {
            self.say("init", init.to_string());
        }
        self.unless_empty("stop-signal", &spec.stop_signal);
        if let Some(seconds) = spec.stop_timeout {
            self.say("stop-timeout", seconds.to_string());
        }
        self.unless_empty("log-driver", &host.log_config.r#type);
        self.settings("log-opt", &host.log_config.config);
        self.settings("storage-opt", &host.storage_opt);
        self.settings("annotation", &host.annotations);
        self.unless_empty("cgroup-parent", &host.cgroup_parent);
        self.unless_empty("runtime", &host.runtime);
        self.unless_empty("isolation", &host.isolation);
    }

    fn health(&mut self, check: &Healthcheck) {
        match check.test.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] => {}
            ["NONE"] => return self.say("no-healthcheck", "true"),
            ["CMD-SHELL", line] => self.say("health-cmd", *line),
            [_, words @ ..] => {
                self.say("health-cmd", words::join(words));
                self.unsaid
                    .push("Its health check is run without a shell, and --health-cmd runs it with one.".to_owned());
            }
        }
        self.time("health-interval", check.interval);
        self.time("health-timeout", check.timeout);
        self.number("health-retries", check.retries);
        self.time("health-start-period", check.start_period);
        self.time("health-start-interval", check.start_interval);
    }
}

/// Bytes in the largest unit that they are a whole number of.
pub fn size(bytes: i64) -> String {
    let units = [(30, "g"), (20, "m"), (10, "k")];
    let whole = units.into_iter().find(|(shift, _)| bytes != 0 && bytes % (1 << shift) == 0);
    whole.map_or_else(|| format!("{bytes}b"), |(shift, unit)| format!("{}{unit}", bytes >> shift))
}

/// Nanoseconds, such as `1m30s`.
pub(super) fn time(nanoseconds: i64) -> String {
    const UNITS: [(i64, &str); 6] = [
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let mut rest = nanoseconds;
    let parts = UNITS.into_iter().map(|(scale, unit)| {
        let whole = rest / scale;
        rest %= scale;
        if whole == 0 { String::new() } else { format!("{whole}{unit}") }
    });
    parts.collect()
}

/// Billionths of a processor, such as `1.5`.
pub fn processors(nanos: i64) -> String {
    let (whole, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    format!("{whole}.{rest:09}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn ulimit(limit: &Ulimit) -> String {
    if limit.soft == limit.hard {
        format!("{}={}", limit.name, limit.soft)
    } else {
        format!("{}={}:{}", limit.name, limit.soft, limit.hard)
    }
}

fn rate(device: &DeviceRate, in_bytes: bool) -> String {
    let rate = i64::try_from(device.rate).ok().filter(|rate| in_bytes && *rate != 0);
    format!("{}:{}", device.path, rate.map_or_else(|| device.rate.to_string(), size))
}

/// `127.0.0.1:8080:80/udp`
pub(super) fn published(port: &str, place: &PortBinding) -> String {
    let inside = port.strip_suffix("/tcp").unwrap_or(port);
    let address = if place.host_ip.contains(':') { format!("[{}]", place.host_ip) } else { place.host_ip.clone() };
    match (address.is_empty(), place.host_port.is_empty()) {
        (true, true) => inside.to_owned(),
        (true, false) => format!("{}:{inside}", place.host_port),
        (false, _) => format!("{address}:{}:{inside}", place.host_port),
    }
}

/// `/dev/sda:/dev/xvda:r`, as far as it has to be said.
pub(super) fn device(device: &Device) -> String {
    let Device { path_on_host: outside, path_in_container: inside, cgroup_permissions: rights } = device;
    let inside = (inside != outside).then_some(inside).filter(|path| !path.is_empty());
    let rights = Some(rights).filter(|rights| !matches!(rights.as_str(), "rwm" | ""));
    [Some(outside), inside, rights].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(":")
}

/// What `--gpus` is told; none for what it cannot say.
fn gpus(request: &DeviceRequest) -> Option<String> {
    let [capabilities] = request.capabilities.as_slice() else { return None };
    let others: Vec<&str> = capabilities.iter().map(String::as_str).filter(|name| *name != "gpu").collect();
    if others.len() == capabilities.len() {
        return None;
    }
    let mut fields = Vec::new();
    match request.count {
        -1 => fields.push("all".to_owned()),
        0 => {}
        count => fields.push(count.to_string()),
    }
    if !request.device_ids.is_empty() {
        fields.push(format!("device={}", request.device_ids.join(",")));
    }
    if !request.driver.is_empty() {
        fields.push(format!("driver={}", request.driver));
    }
    if !others.is_empty() {
        fields.push(format!("capabilities={}", others.join(",")));
    }
    if !request.options.is_empty() {
        let options: Vec<String> = request.options.iter().map(|(name, value)| format!("{name}={value}")).collect();
        fields.push(format!("options={}", record(&options)));
    }
    Some(record(&fields))
}

/// The same for a compose file.
pub(super) fn gpus_plain(request: &DeviceRequest) -> serde_json::Value {
    let mut said = serde_json::Map::new();
    match request.count {
        -1 => said.insert("count".to_owned(), "all".into()),
        0 => None,
        count => said.insert("count".to_owned(), count.into()),
    };
    if !request.device_ids.is_empty() {
        said.insert("device_ids".to_owned(), request.device_ids.clone().into());
    }
    if !request.driver.is_empty() {
        said.insert("driver".to_owned(), request.driver.clone().into());
    }
    said.insert("capabilities".to_owned(), request.capabilities.concat().into());
    serde_json::Value::Object(said)
}

/// Fields between commas, those in quotes that hold one.
fn record(fields: &[String]) -> String {
    let quoted = fields.iter().map(|field| {
        if field.contains([',', '"', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.clone() }
    });
    quoted.collect::<Vec<_>>().join(",")
}

/// What `--mount` is told.
fn mount(mount: &Mount) -> String {
    let mut fields = vec![format!("type={}", mount.r#type)];
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            fields.push(format!("{name}={value}"));
        }
    };
    field("src", &mount.source);
    field("dst", &mount.target);
    if mount.read_only {
        field("readonly", "true");
    }
    field("consistency", &mount.consistency);
    if let Some(options) = &mount.bind_options {
        field("bind-propagation", &options.propagation);
        field("bind-recursive", recursion(options));
    }
    if let Some(VolumeOptions { no_copy, labels, subpath, driver_config }) = &mount.volume_options {
        if *no_copy {
            field("volume-nocopy", "true");
        }
        field("volume-subpath", subpath);
        labels.iter().for_each(|(name, value)| field("volume-label", &format!("{name}={value}")));
        field("volume-driver", &driver_config.name);
        driver_config.options.iter().for_each(|(name, value)| field("volume-opt", &format!("{name}={value}")));
    }
    if let Some(options) = &mount.image_options {
        field("image-subpath", &options.subpath);
    }
    if let Some(options) = &mount.tmpfs_options {
        if options.size_bytes != 0 {
            field("tmpfs-size", &size(options.size_bytes));
        }
        if options.mode != 0 {
            field("tmpfs-mode", &format!("{:o}", options.mode));
        }
    }
    record(&fields)
}

pub(super) fn recursion(options: &BindOptions) -> &'static str {
    if options.non_recursive {
        "disabled"
    } else if options.read_only_force_recursive {
        "readonly"
    } else if options.read_only_non_recursive {
        "writable"
    } else {
        ""
    }
}

/// Whether only the long form of `--network` says all of it.
fn is_long(endpoint: &Endpoint) -> bool {
    !endpoint.driver_opts.is_empty() || endpoint.gw_priority != 0
}

/// `shop`, or `name=shop,alias=db,ip=172.30.0.5`.
fn network(name: &str, endpoint: &Endpoint) -> String {
    let mut fields = vec![format!("name={name}")];
    endpoint.aliases.iter().for_each(|alias| fields.push(format!("alias={alias}")));
    if let Some(addresses) = &endpoint.ipam_config {
        for (key, value) in [("ip", &addresses.ipv4_address), ("ip6", &addresses.ipv6_address)] {
            if !value.is_empty() {
                fields.push(format!("{key}={value}"));
            }
        }
        addresses.link_local_ips.iter().for_each(|address| fields.push(format!("link-local-ip={address}")));
    }
    if !endpoint.mac_address.is_empty() {
        fields.push(format!("mac-address={}", endpoint.mac_address));
    }
    endpoint.driver_opts.iter().for_each(|(key, value)| fields.push(format!("driver-opt={key}={value}")));
    if endpoint.gw_priority != 0 {
        fields.push(format!("gw-priority={}", endpoint.gw_priority));
    }
    match fields.as_slice() {
        [_] => name.to_owned(),
        fields => record(fields),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{RunLine, Verb};

    #[derive(serde::Deserialize)]
    struct Recorded {
        line: String,
    }

    #[test]
    fn a_request_is_a_line_that_makes_it() {
        let more = [
            "docker run --network a --network name=b,alias=x,ip=10.0.0.4 --network c busybox",
            "docker run --network a --network-alias x --ip 10.0.0.4 --ip6 fd00::4 --mac-address 92:d0:c6:0a:29:33 --link db:d busybox",
            "docker run --network name=a,driver-opt=k=v,gw-priority=5,alias=q busybox",
            "docker run --link db:d --mac-address 92:d0:c6:0a:29:33 --ip 172.17.0.9 busybox",
            "docker run -p 80 -p 1:2 -p 127.0.0.1::3 -p [::1]:4:5/udp -p 8000-8003:9 --expose 7 --expose 8/udp -P busybox",
            "docker run --mount 'type=bind,src=/a,dst=/b,readonly,bind-propagation=rprivate,bind-recursive=readonly' busybox",
            "docker run --mount 'type=volume,dst=/c,volume-nocopy,volume-label=a=b,volume-driver=local,\"volume-opt=o=x,y\"' busybox",
            "docker run --mount type=tmpfs,dst=/t,tmpfs-size=5m,tmpfs-mode=1770 --tmpfs /u:size=1m --tmpfs /v busybox",
            "docker run --gpus 'all,capabilities=utility' --gpus '\"device=0,1\"' --device vendor.com/class=name --device /dev/a:/dev/b:r busybox",
            "docker run --memory 64m --memory-swap -1 --cpus .25 --ulimit nofile=1:2 --ulimit core=-1 --pids-limit -1 --shm-size 65537 busybox",
            "docker run --health-cmd 'a \"b\"' --health-interval 1m30s --health-timeout 500ms --health-retries 3 --init=false busybox",
            "docker run --no-healthcheck --security-opt systempaths=unconfined --cap-add all --cap-drop net_raw --stop-timeout 0 busybox",
            "docker run --entrypoint '' -e A -e B= -e 'C=x\ny' -l a -l b=c --annotation x=y --sysctl net.core.somaxconn=1 busybox a 'b c' ''",
            "docker run --device-read-bps /dev/sda:10mb --device-write-iops /dev/sda:5 --blkio-weight-device /dev/sda:500 busybox",
            "docker run -v /z -v x:/y:ro,Z -v /a:/b --volumes-from q:ro --log-driver local --log-opt max-size=1m --restart on-failure:3 busybox",
        ];
        let recorded = include_str!("run/recorded.jsonl").lines();
        let recorded = recorded.map(|row| serde_json::from_str::<Recorded>(row).expect("a line").line);
        let mut count = 0;
        for line in recorded.chain(more.map(str::to_owned)) {
            let Ok((_, _, spec)) = RunLine::check(&line) else {
                assert!(!more.contains(&line.as_str()), "{line}: {:?}", RunLine::check(&line));
                continue;
            };
            let Written { line: written, unsaid } = Written::of(&spec);
            assert_eq!(unsaid, [""; 0], "{line}");
            let text = written.to_command(Verb::Create);
            let again = RunLine::check(&text).map(|(_, _, spec)| spec);
            assert_eq!(again.as_ref(), Ok(&spec), "{line}\n{text}");
            count += 1;
        }
        assert!(count > 50, "{count}");
    }

    #[test]
    fn what_no_flag_says_is_told() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let spec = Spec {
            image: "busybox".to_owned(),
            entrypoint: words("sh -c"),
            cmd: words("ls"),
            healthcheck: Some(Healthcheck { test: words("CMD a b"), ..Healthcheck::default() }),
            ..Spec::default()
        };
        let Written { line, unsaid } = Written::of(&spec);
        assert_eq!(line.to_command(Verb::Run), "docker run -d --entrypoint sh --health-cmd 'a b' busybox -c ls");
        assert_eq!(unsaid.len(), 2);
    }
}
