//! What the engine's warnings mean, and what to do about each.

/// A warning of the engine.
pub struct Warning<'a> {
    /// The engine's own words.
    pub words: &'a str,
    /// What it means.
    pub means: &'static str,
    /// What to do.
    pub advice: &'static str,
}

/// What is known of warnings, by what stands in them; the first that fits. Source: moby, `daemon/info_unix.go` and
/// `daemon/info.go`.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "without encryption",
        "The engine listens on a port of the network, and asks nobody who they are: whoever reaches it is root on its host.",
        "Take -H tcp://… out of the engine's settings, or let it listen with --tlsverify. Until then, close the port in the firewall.",
    ),
    (
        "No memory limit",
        "The kernel does not let the engine limit memory: --memory of containers has no effect.",
        "Boot the host with cgroup_enable=memory among the kernel's parameters.",
    ),
    (
        "No swap limit",
        "What a container may not have in memory it can take as swap: --memory-swap has no effect.",
        "Boot the host with swapaccount=1 among the kernel's parameters. On a host without swap it does not matter.",
    ),
    (
        "No kernel memory",
        "Memory that the kernel uses on behalf of a container is not limited by itself.",
        "Nothing: the setting is out of use. --memory counts it as well.",
    ),
    (
        "oom kill disable",
        "--oom-kill-disable has no effect: a container that is out of memory is ended.",
        "Nothing, where no container asks for it. With version 2 of cgroups it is never there.",
    ),
    (
        "cpu cfs",
        "The kernel does not let the engine limit processor time: --cpus has no effect.",
        "Use a kernel with CONFIG_CFS_BANDWIDTH; those of distributions have it.",
    ),
    ("cpu shares", "--cpu-shares has no effect.", "Use a kernel with CONFIG_FAIR_GROUP_SCHED."),
    ("cpuset", "--cpuset-cpus has no effect.", "Use a kernel with CONFIG_CPUSETS, and see that the cgroup is mounted."),
    (
        "pids limit",
        "--pids-limit has no effect: one container can use up all processes of the host.",
        "Use a kernel with CONFIG_CGROUP_PIDS.",
    ),
    (
        "IPv4 forwarding",
        "The host does not pass packets on: containers reach no other machine.",
        "Run sysctl -w net.ipv4.ip_forward=1, and keep it in /etc/sysctl.d.",
    ),
    (
        "bridge-nf-call",
        "Packets between containers of one network do not pass the host's firewall: its rules do not keep them apart.",
        "Run modprobe br_netfilter and sysctl -w net.bridge.bridge-nf-call-iptables=1 (and -ip6tables), where rules are to hold there.",
    ),
    (
        "blkio",
        "Reading and writing of containers cannot be limited by that measure.",
        "Nothing, where no container asks for it.",
    ),
    (
        "io.",
        "Reading and writing of containers cannot be limited by that measure.",
        "Nothing, where no container asks for it.",
    ),
    (
        "cgroup v1",
        "Version 1 of cgroups is going out of use: newer engines and systems do without it.",
        "Boot the host with systemd.unified_cgroup_hierarchy=1, or update its system.",
    ),
    (
        "cgroup v2 is experimental",
        "This version of the engine is young in version 2 of cgroups.",
        "Update the engine: 20.10 and later are at home there.",
    ),
    (
        "rootless-mode without cgroups",
        "Limits of memory and processor have no effect.",
        "Use version 2 of cgroups, with systemd, and let it hand them to users (Delegate=yes).",
    ),
    (
        "storage-driver is deprecated",
        "The way in which the engine stores images is going out of use, and a newer engine will not read it.",
        "Save what matters (docker save, backups of volumes), and start the engine with overlay2.",
    ),
    (
        "storage driver is deprecated",
        "The way in which the engine stores images is going out of use, and a newer engine will not read it.",
        "Save what matters (docker save, backups of volumes), and start the engine with overlay2.",
    ),
    (
        "loopback devices",
        "Images are stored in a file that is treated as a disk: slow, and it breaks when the disk is full.",
        "Start the engine with overlay2.",
    ),
    (
        "d_type",
        "The file system below the engine's data does not tell files from folders well enough: files of images can go wrong.",
        "Make the file system anew with ftype=1 (mkfs.xfs -n ftype=1), or put the data folder on another.",
    ),
    (
        "seccomp profile",
        "Containers may make calls to the kernel that the engine's own profile would forbid.",
        "Take --seccomp-profile out of the engine's settings, unless it was meant so.",
    ),
    (
        "DOCKER_INSECURE_NO_IPTABLES_RAW",
        "Ports that are published on this machine's own address can be reached from the network.",
        "Take the variable out of the engine's environment.",
    ),
    (
        "experimental",
        "Something that is not finished is switched on.",
        "Switch it off in the engine's settings where it is not needed.",
    ),
];

/// Each of the engine's warnings, with what it means.
pub fn explained(warnings: &[String]) -> Vec<Warning<'_>> {
    let explain = |words: &str| {
        let lower = words.to_lowercase();
        let known = KNOWN.iter().find(|(part, ..)| lower.contains(&part.to_lowercase()));
        known.map_or(("", ""), |(_, means, advice)| (*means, *advice))
    };
    let each = warnings.iter().map(|words| {
        let (means, advice) = explain(words);
        Warning { words: words.trim().trim_start_matches("WARNING: "), means, advice }
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_warns_of_is_explained() {
        let words = [
            "WARNING: No swap limit support",
            "WARNING: bridge-nf-call-iptables is disabled",
            "WARNING: API is accessible on http://0.0.0.0:2375 without encryption.\n Access to the remote API is equivalent to root access on the host.",
            "WARNING: No blkio throttle.read_bps_device support",
            "WARNING: the overlay storage-driver is deprecated",
            "WARNING: Support for cgroup v1 is deprecated and planned to be removed by no later than May 2029",
        ]
        .map(str::to_owned);
        for warning in explained(&words) {
            assert!(!warning.means.is_empty() && !warning.advice.is_empty(), "{}", warning.words);
        }
        assert_eq!(explained(&["WARNING: something new".to_owned()])[0].words, "something new");
    }
}
