//! What a container is made from: the request `POST /containers/create`, as plain data.
//!
//! The names are the API's (`PascalCase`, <https://docs.docker.com/reference/api/engine/version/v1.50/>),
//! and so is its notion of "not said": an empty text, list or map, `false` and zero are left out of the JSON
//! and read back from `null` or from nothing. A field is an `Option` where zero or empty says something of
//! its own, such as "stop at once" in [`Spec::stop_timeout`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Declares an object of the API: what is unset is not written, and `null` reads as unset.
macro_rules! object {
    ($(#[$about:meta])* $name:ident { $($(#[$says:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, rename_all = "PascalCase")]
        pub struct $name {$(
            $(#[$says])*
            #[serde(skip_serializing_if = "is_unset", deserialize_with = "null_is_unset")]
            pub $field: $type,
        )*}
    };
}

fn is_unset<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn null_is_unset<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// Whether a path of the host leads to the engine or to everything there. Sources: the sockets' defaults, and what a
/// root process needs to become root on the host.
pub fn opens_host(source: &str) -> bool {
    let path = source.trim_end_matches('/');
    source.starts_with('/')
        && (matches!(
            path,
            "" | "/etc" | "/root" | "/boot" | "/proc" | "/sys" | "/dev" | "/var" | "/run" | "/var/run" | "/usr"
        ) || ["docker.sock", "containerd.sock", "podman.sock"].iter().any(|socket| path.ends_with(socket))
            || path.starts_with("/var/lib/docker"))
}

/// A set that the API spells as a map to `{}`: exposed ports, anonymous volumes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<String, serde_json::Value>")]
pub struct Keys(pub BTreeSet<String>);

impl From<BTreeMap<String, serde_json::Value>> for Keys {
    fn from(map: BTreeMap<String, serde_json::Value>) -> Self {
        Self(map.into_keys().collect())
    }
}

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Here {}
        to.collect_map(self.0.iter().map(|key| (key, Here {})))
    }
}

object! {
    /// A container to be: the body of the request, and beside it what travels in its query.
    Spec {
        /// The name, in the query; the engine makes one up for `None`.
        #[serde(skip)]
        name: Option<String>,
        /// The platform, `os/arch[/variant]`, in the query; `None` is the engine's own.
        #[serde(skip)]
        platform: Option<String>,
        /// The host name inside the container.
        hostname: String,
        /// The NIS domain name inside the container.
        domainname: String,
        /// The user that the process runs as: `<name|uid>[:<group|gid>]`.
        user: String,
        /// Ports said to be listened on, `80/tcp`, published or not.
        exposed_ports: Keys,
        /// Whether the process gets a terminal.
        tty: bool,
        /// Whether standard input stays open with nobody attached.
        open_stdin: bool,
        /// Environment, `NAME=value`; `NAME` alone removes a variable of the image.
        env: Vec<String>,
        /// Arguments, in place of the image's command.
        cmd: Vec<String>,
        /// How the engine finds out that the container is well.
        healthcheck: Option<Healthcheck>,
        /// The image's reference.
        image: String,
        /// Paths that get an anonymous volume each.
        volumes: Keys,
        /// Where the process starts.
        working_dir: String,
        /// In place of the image's entrypoint; one empty text takes the image's away.
        entrypoint: Vec<String>,
        /// Labels of the container.
        labels: BTreeMap<String, String>,
        /// The signal that asks the process to end, instead of the image's.
        stop_signal: String,
        /// Seconds between asking the process to end and ending it; 0 is at once, -1 never.
        stop_timeout: Option<i64>,
        /// What the host gives and withholds.
        host_config: HostConfig,
        /// The networks that it starts on.
        networking_config: NetworkingConfig,
    }
}

object! {
    /// A health check. Times are nanoseconds, zero is the image's or the engine's default.
    Healthcheck {
        /// `["CMD-SHELL", line]`, `["CMD", word...]`, or `["NONE"]` for no check at all.
        test: Vec<String>,
        /// Nanoseconds between two checks.
        interval: i64,
        /// Nanoseconds that one check may take.
        timeout: i64,
        /// Nanoseconds at the start in which failures do not count.
        start_period: i64,
        /// Nanoseconds between two checks during the start.
        start_interval: i64,
        /// Failures in a row that make it unhealthy.
        retries: i64,
    }
}

object! {
    /// The part of the request that concerns the host: mounts, ports, limits, rights.
    HostConfig {
        /// Mounts, `source:target[:options]`, of a host's path or a named volume.
        binds: Vec<String>,
        /// Where output goes.
        log_config: LogConfig,
        /// The first network: a name, `bridge`, `host`, `none` or `container:<other>`; empty is the engine's default.
        network_mode: String,
        /// Ports of the container, `80/tcp`, and where each is published.
        port_bindings: BTreeMap<String, Vec<PortBinding>>,
        /// When the engine starts it again.
        restart_policy: RestartPolicy,
        /// Whether it is removed when it ends.
        auto_remove: bool,
        /// Driver of the volumes that `binds` and `volumes` create.
        volume_driver: String,
        /// Other containers whose volumes it shares, `name[:ro]`.
        volumes_from: Vec<String>,
        /// Annotations handed to the runtime.
        annotations: BTreeMap<String, String>,
        /// Linux capabilities beyond the usual.
        cap_add: Vec<String>,
        /// Linux capabilities taken away.
        cap_drop: Vec<String>,
        /// `host` or `private`.
        cgroupns_mode: String,
        /// Name servers.
        dns: Vec<String>,
        /// Options of the resolver.
        dns_options: Vec<String>,
        /// Domains that short names are looked up in.
        dns_search: Vec<String>,
        /// Lines of `/etc/hosts`, `name:address`.
        extra_hosts: Vec<String>,
        /// Groups of the process beside its own.
        group_add: Vec<String>,
        /// `none`, `private`, `shareable`, `host` or `container:<other>`.
        ipc_mode: String,
        /// Links on the default network, `container:alias`.
        links: Vec<String>,
        /// Which process the kernel ends first when memory is out, -1000 (last) to 1000.
        oom_score_adj: i64,
        /// `host` or `container:<other>`.
        pid_mode: String,
        /// Whether it gets every right on the host.
        privileged: bool,
        /// Whether every exposed port is published at a port of the engine's choice.
        publish_all_ports: bool,
        /// Whether its own file system cannot be written.
        readonly_rootfs: bool,
        /// Security options, `no-new-privileges`, `apparmor=...`.
        security_opt: Vec<String>,
        /// Options of the storage driver.
        storage_opt: BTreeMap<String, String>,
        /// File systems in memory: path and options.
        tmpfs: BTreeMap<String, String>,
        /// `host`, or empty for its own.
        #[serde(rename = "UTSMode")]
        uts_mode: String,
        /// `host`, or empty for the engine's.
        userns_mode: String,
        /// Bytes of `/dev/shm`.
        shm_size: i64,
        /// Kernel settings.
        sysctls: BTreeMap<String, String>,
        /// The runtime, instead of the engine's default.
        runtime: String,
        /// Windows: `default`, `process` or `hyperv`.
        isolation: String,
        /// Share of the processor against other containers, 1024 being usual.
        cpu_shares: i64,
        /// Bytes of memory at most.
        memory: i64,
        /// Billionths of a processor at most.
        nano_cpus: i64,
        /// The cgroup that its own goes under.
        cgroup_parent: String,
        /// Share of disk traffic, 10 to 1000.
        blkio_weight: u16,
        /// Share of traffic of one disk.
        blkio_weight_device: Vec<DeviceWeight>,
        /// Bytes a second read from a disk at most.
        blkio_device_read_bps: Vec<DeviceRate>,
        /// Bytes a second written to a disk at most.
        blkio_device_write_bps: Vec<DeviceRate>,
        /// Reads a second at most.
        #[serde(rename = "BlkioDeviceReadIOps")]
        blkio_device_read_iops: Vec<DeviceRate>,
        /// Writes a second at most.
        #[serde(rename = "BlkioDeviceWriteIOps")]
        blkio_device_write_iops: Vec<DeviceRate>,
        /// Microseconds that `cpu_quota` is counted in.
        cpu_period: i64,
        /// Microseconds of processor in each `cpu_period`.
        cpu_quota: i64,
        /// Microseconds, for real-time scheduling.
        cpu_realtime_period: i64,
        /// Microseconds, for real-time scheduling.
        cpu_realtime_runtime: i64,
        /// Processors to run on, `0-3,5`.
        cpuset_cpus: String,
        /// Memory nodes to use, `0,1`.
        cpuset_mems: String,
        /// Devices of the host.
        devices: Vec<Device>,
        /// Rules for devices, `c 42:* rmw`.
        device_cgroup_rules: Vec<String>,
        /// Devices asked from a driver: GPUs.
        device_requests: Vec<DeviceRequest>,
        /// Bytes of memory that it is pushed back to when the host runs short.
        memory_reservation: i64,
        /// Bytes of memory and swap together at most, -1 without limit.
        memory_swap: i64,
        /// How readily its memory is swapped out, 0 to 100.
        memory_swappiness: Option<i64>,
        /// Whether it is never ended for want of memory.
        oom_kill_disable: bool,
        /// Whether an init runs as its first process; `None` is as the engine is set up.
        init: Option<bool>,
        /// Processes and threads at most; 0 and -1 are without limit.
        pids_limit: i64,
        /// Limits of the process.
        ulimits: Vec<Ulimit>,
        /// Mounts in the long form.
        mounts: Vec<Mount>,
        /// Paths hidden from it; an empty list hides none, `None` the usual.
        masked_paths: Option<Vec<String>>,
        /// Paths that it cannot write; an empty list is none, `None` the usual.
        readonly_paths: Option<Vec<String>>,
    }
}

object! {
    /// Where output goes.
    LogConfig {
        /// The driver; empty is the engine's default.
        r#type: String,
        /// Options of the driver.
        config: BTreeMap<String, String>,
    }
}

object! {
    /// A place where a port of the container is published.
    PortBinding {
        /// Address of the host, empty for all.
        host_ip: String,
        /// Port of the host or a range to choose from, empty for any.
        host_port: String,
    }
}

object! {
    /// When the engine starts the container again.
    RestartPolicy {
        /// `no`, `always`, `unless-stopped` or `on-failure`; empty is `no`.
        name: String,
        /// Times at most, with `on-failure`; 0 is without limit.
        maximum_retry_count: i64,
    }
}

object! {
    /// A share of one disk's traffic.
    DeviceWeight {
        /// The disk, `/dev/sda`.
        path: String,
        /// 10 to 1000.
        weight: u16,
    }
}

object! {
    /// A limit on one disk's traffic.
    DeviceRate {
        /// The disk, `/dev/sda`.
        path: String,
        /// Bytes or operations a second.
        rate: u64,
    }
}

object! {
    /// A device of the host inside the container.
    Device {
        /// Where it is on the host.
        path_on_host: String,
        /// Where it appears inside.
        path_in_container: String,
        /// Letters of `rwm`: read, write, make.
        cgroup_permissions: String,
    }
}

object! {
    /// Devices asked from a driver.
    DeviceRequest {
        /// The driver, `nvidia` or `cdi`.
        driver: String,
        /// How many, -1 for all.
        count: i64,
        /// Which, instead of how many.
        #[serde(rename = "DeviceIDs")]
        device_ids: Vec<String>,
        /// What they must be able to do: one of the lists, everything in it.
        capabilities: Vec<Vec<String>>,
        /// Options of the driver.
        options: BTreeMap<String, String>,
    }
}

/// A limit of the process; -1 is without limit, and zero is a limit like any other, so all is always written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Ulimit {
    /// `nofile`, `core`, ...
    pub name: String,
    /// What the process starts with.
    pub soft: i64,
    /// What it may raise that to.
    pub hard: i64,
}

object! {
    /// A mount in the long form.
    Mount {
        /// `bind`, `volume`, `tmpfs`, `image`, `npipe` or `cluster`.
        r#type: String,
        /// A path of the host, a volume's name or an image.
        source: String,
        /// Where it appears inside.
        target: String,
        /// Whether it cannot be written.
        read_only: bool,
        /// For Docker Desktop: `default`, `consistent`, `cached` or `delegated`.
        consistency: String,
        /// For a bind.
        bind_options: Option<BindOptions>,
        /// For a volume.
        volume_options: Option<VolumeOptions>,
        /// For an image.
        image_options: Option<ImageOptions>,
        /// For a file system in memory.
        tmpfs_options: Option<TmpfsOptions>,
    }
}

object! {
    /// How a path of the host is mounted.
    BindOptions {
        /// `private`, `rprivate`, `shared`, `rshared`, `slave` or `rslave`.
        propagation: String,
        /// Whether what is mounted below it stays out.
        non_recursive: bool,
        /// Whether a missing path is made.
        create_mountpoint: bool,
        /// Whether what is mounted below a read-only mount can be written.
        read_only_non_recursive: bool,
        /// Whether to fail if what is mounted below cannot be made read-only.
        read_only_force_recursive: bool,
    }
}

object! {
    /// How a volume is mounted, and made if it is not there.
    VolumeOptions {
        /// Whether the image's files at the target are not copied into a new volume.
        no_copy: bool,
        /// Labels of a new volume.
        labels: BTreeMap<String, String>,
        /// The folder of the volume that is mounted.
        subpath: String,
        /// Driver of a new volume.
        driver_config: DriverConfig,
    }
}

object! {
    /// A volume's driver.
    DriverConfig {
        /// The driver; empty is `local`.
        name: String,
        /// Its options.
        options: BTreeMap<String, String>,
    }
}

object! {
    /// How an image is mounted.
    ImageOptions {
        /// The folder of the image that is mounted.
        subpath: String,
    }
}

object! {
    /// How a file system in memory is made.
    TmpfsOptions {
        /// Bytes at most.
        size_bytes: i64,
        /// Permission bits.
        mode: u32,
    }
}

object! {
    /// The networks that the container starts on.
    NetworkingConfig {
        /// Network and how the container is on it.
        endpoints_config: BTreeMap<String, Endpoint>,
    }
}

object! {
    /// How a container is on a network.
    Endpoint {
        /// Addresses.
        #[serde(rename = "IPAMConfig")]
        ipam_config: Option<IpamConfig>,
        /// Containers that it knows under another name, `container:alias`.
        links: Vec<String>,
        /// More names of its own.
        aliases: Vec<String>,
        /// Hardware address.
        mac_address: String,
        /// Options of the network's driver.
        driver_opts: BTreeMap<String, String>,
        /// The network with the highest gives the default route.
        gw_priority: i64,
    }
}

object! {
    /// Addresses on a network, empty for any.
    IpamConfig {
        /// IPv4.
        #[serde(rename = "IPv4Address")]
        ipv4_address: String,
        /// IPv6.
        #[serde(rename = "IPv6Address")]
        ipv6_address: String,
        /// Link-local addresses beside them.
        #[serde(rename = "LinkLocalIPs")]
        link_local_ips: Vec<String>,
    }
}
