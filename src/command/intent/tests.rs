use super::*;

fn intent(text: &str) -> Intent {
    match read(text) {
        Reading::Intent(intent) => intent,
        other => panic!("{text}: {other:?}"),
    }
}

/// Each line, and what is understood of it: the command as it would be run, and what is said besides.
#[test]
fn lines_are_understood() {
    for (line, understood, notes) in [
        ("stop web", "docker stop web", &[][..]),
        ("docker stop -t 30 web db", "docker stop -t 30 web db", &[]),
        ("docker container stop --time=5 web", "docker stop --time 5 web", &[]),
        ("$ sudo docker rm -f web", "docker rm -f web", &[]),
        ("docker rm web -vf", "docker rm -v -f web", &[]),
        ("docker rm --force=false web", "docker rm --force=false web", &[]),
        ("podman kill -sHUP web", "docker kill -s HUP web", &[]),
        ("kill --signal SIGHUP web", "docker kill -s SIGHUP web", &[]),
        ("docker logs -f -n100 --since 10m -t api", "docker logs -n 100 --since 10m api", &[]),
        ("logs --tail=all 'my api'", "docker logs -n all 'my api'", &[]),
        ("docker ps -aq --filter status=exited -f name=web", "docker ps -a -f status=exited -f name=web", &[]),
        ("docker exec -itu root web sh -c 'ls -la'", "docker exec -u root web sh -c 'ls -la'", &[]),
        ("docker top web -eo pid", "docker top web -eo pid", &[]),
        ("docker image ls --filter dangling=true", "docker images -f dangling=true", &[]),
        ("docker volume create -d local -o type=nfs data", "docker volume create -d local -o type=nfs data", &[]),
        ("docker rename -- web -x", "docker rename -- web -x", &[]),
        ("docker update -m 1g --cpus 2 web", "docker update -m 1g --cpus 2 web", &[]),
        ("docker commit --pause=false web a:1", "docker commit --pause=false web a:1", &[]),
        ("remove web", "docker rm web", &[]),
        ("docker stop \"my web", "docker stop 'my web'", &[]),
        ("docker stop --all web", "docker stop web", &["docker stop has no flag --all: it is left out."]),
        ("docker stop -xt 3 web", "docker stop 3 web", &["docker stop has no flag -x: it is left out."]),
        (
            "docker exec -e A=b web env",
            "docker exec web env",
            &["This console has no place for --env: it is left out."],
        ),
        ("docker stop web -t", "docker stop web", &["--timeout needs a value."]),
        (
            "docker -H tcp://x logs web 2>&1 | grep x",
            "docker logs web",
            &["-H is left out: this console has its own engine.", "From “2>&1” on it is for a shell, and left out."],
        ),
    ] {
        let intent = intent(line);
        assert_eq!(intent.echo(&intent.words), understood, "{line}");
        assert_eq!(intent.notes, notes, "{line}");
    }
}

#[test]
fn what_makes_a_container_is_left_whole() {
    for (line, whole) in [
        ("docker run -d -p 80:80 nginx", Some("docker run -d -p 80:80 nginx")),
        ("$ sudo podman container run --rm 'a b' | cat", Some("docker run --rm 'a b' | cat")),
        ("create nginx", Some("docker create nginx")),
        ("docker run", None),
    ] {
        let intent = intent(line);
        assert_eq!((intent.command.ask, intent.line.as_deref()), (Ask::Make, whole), "{line}");
    }
}

#[test]
fn what_is_no_command_is_something_to_look_for() {
    for text in ["", " ", "web", "nginx:1.29", "s", "my stop", "node", "config", "stopper web", "a 'b", "swarm"] {
        assert_eq!(read(text), Reading::Text, "{text}");
    }
    let beginning = |text: &str| match read(text) {
        Reading::Beginning(all) => all.into_iter().map(Command::name).collect::<Vec<_>>(),
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(beginning("sto"), ["stop"]);
    assert_eq!(beginning("docker sta"), ["start", "stats"]);
    assert_eq!(
        beginning("docker volume"),
        ["volume ls", "volume create", "volume rm", "volume inspect", "volume prune"]
    );
    assert_eq!(beginning("docker").len(), 5);
    for (text, says) in [
        ("docker swarm init", "no pages for swarms"),
        ("docker stack deploy -c x y", "no pages for swarms"),
        ("docker compose up -d", "runs no compose files"),
        ("docker frobnicate web", "docker has no command “frobnicate web”"),
    ] {
        assert!(matches!(read(text), Reading::Nowhere(why) if why.contains(says)), "{text}");
    }
}

#[test]
fn every_command_is_found_by_each_of_its_names_and_says_what_it_takes() {
    for command in COMMANDS {
        for name in command.names {
            let found = intent(&format!("docker {name}")).command;
            assert_eq!(found, command, "{name} is in two rows");
        }
        let flags: Vec<_> = command.flags().collect();
        for flag in &flags {
            assert!(
                flags.iter().filter(|other| other.long == flag.long).count() == 1,
                "{} {}",
                command.name(),
                flag.long
            );
            let same = |other: &&Flag| flag.letter.is_some() && other.letter == flag.letter;
            assert!(flags.iter().filter(same).count() <= 1, "{} {:?}", command.name(), flag.letter);
            assert!(flag.long.len() > 1 && flag.long.chars().all(|c| c.is_ascii_lowercase() || "-46".contains(c)));
        }
    }
}

#[test]
fn s047_hostile_words_stay_words() {
    let long = "x".repeat(100_000);
    let dashes = "-".repeat(100_000);
    let many = "stop ".to_owned() + &"-z ".repeat(30_000);
    for word in [
        "$(reboot)",
        "`id`",
        "<img src=x onerror=alert(1)>",
        "a\u{202e}b",
        "\0",
        "é",
        "../..",
        "-",
        "--",
        "=",
        "--=",
        "-=",
        "--=x",
        "'",
        "\"",
        "\\",
        "\n",
        "|",
        &long,
        &dashes,
        &many,
    ] {
        // What is long is slow to check, here, and no command reads it otherwise than another.
        let few = if word.len() > 100 { 3 } else { COMMANDS.len() };
        for command in COMMANDS.iter().rev().take(few) {
            let name = command.name();
            for text in [
                format!("{name} {word}"),
                format!("docker {name} -{word} {word}"),
                format!("docker {word} {name}"),
                format!("{word} {name}"),
            ] {
                if let Reading::Intent(intent) = read(&text) {
                    assert!(
                        intent.notes.len() <= NOTES + 1 && intent.notes.iter().all(|note| note.len() < 400),
                        "{:?}",
                        intent.notes
                    );
                    let _ = intent.echo(&intent.words);
                }
            }
        }
    }
    assert_eq!(intent("stop '$(reboot)'").words, ["$(reboot)"]);
}
