//! `count-objects` and `verify-pack`: stored objects.

use std::fs;

use snapbox::str;

use super::lists::packs;
use super::{everything, history};
use crate::env::TestEnv;

#[test]
fn count_objects_counts_by_kind() {
    let env = history();
    env.undo("count-objects").shows(str![[r#"
11 objects, [..] kibibytes

"#]]);
    env.undo("count-objects -v").shows(str![[r#"
objects: 11
data: 4
layouts: 0
layout-nodes: 0
trees: 4
attributes: 0
links: 0
commits: 3
duplicates: 0
packs: 3
size-pack: [..]
journal: [..]
garbage: 0
size-garbage: 0

"#]]);
    env.undo("count-objects --json").shows(str![[r#"
{"type":"object-count","objects":11,"data":4,"layouts":0,"layout_nodes":0,"trees":4,"attributes":0,"links":0,"commits":3,"duplicates":0,"packs":3,"size_pack":[..],"journal":[..],"garbage":0,"size_garbage":0}

"#]]);
    assert!(env.undo("count-objects -z").ok().text().ends_with(" kibibytes\0"));
    let empty = TestEnv::initialised();
    empty.undo("count-objects").shows(str![[r#"
0 objects, 0 kibibytes

"#]]);
}

#[test]
fn count_objects_reports_garbage() {
    let env = history();
    let pack = packs(&env).remove(0);
    fs::write(pack.with_file_name("00".repeat(32)), "123").unwrap();
    fs::write(env.path().join(".undo/packs/stray"), "4567").unwrap();
    let counted = env.undo("count-objects --json").ok().json().remove(0);
    assert_eq!((&counted["garbage"], &counted["size_garbage"]), (&2.into(), &7.into()));
    assert_eq!(counted["packs"], 3);
}

#[test]
fn verify_pack_accepts_id_prefix_and_path() {
    let env = history();
    let all = packs(&env);
    let name = all[0].file_name().unwrap().to_str().unwrap();
    for named in [name, &name[..8], all[0].to_str().unwrap(), &format!(".undo/packs/{}/{name}", &name[..2])] {
        assert_eq!(env.undo(&format!("verify-pack {named}")).ok().text(), format!("{name}: ok\n"));
    }
    assert_eq!(env.undo("verify-pack").ok().text().lines().count(), all.len());
    env.undo(&format!("verify-pack --json {name}")).shows(str![[r#"
{"type":"pack","id":"[ID]","ok":true,"reason":"","objects":[..],"frames":[..],"raw":[..],"stored":[..]}
{"type":"summary","packs":1,"damaged":0}

"#]]);
    env.undo("verify-pack nonsense").shows(str![[r#"
---- stderr ----
error: no pack `nonsense` in this repository
hint: to list packs: undo verify-pack
[exit 2]

"#]]);
    env.undo("verify-pack 00000000").fails(2);
    fs::copy(&all[0], env.path().join(name)).unwrap();
    env.undo(&format!("verify-pack ./{name}")).fails(2);
}

#[test]
fn verify_pack_v_lists_objects() {
    let env = everything();
    let text = env.undo("verify-pack -v").ok().text();
    let objects: Vec<Vec<&str>> =
        text.lines().map(|line| line.split(' ').collect()).filter(|line: &Vec<_>| line[0].len() == 64).collect();
    let counted = env.undo("count-objects --json").ok().json().remove(0);
    assert_eq!(counted["objects"], objects.len());
    for (kind, key) in [("data", "data"), ("layout", "layouts"), ("tree", "trees"), ("links", "links")] {
        assert_eq!(counted[key], objects.iter().filter(|object| object[1] == kind).count(), "{kind}");
    }
    let named = env.undo("rev-parse @:named").text();
    assert!(objects.iter().any(|object| object[0] == named.trim_end() && object[2] == "1"));
    let totals: Vec<&str> = text.lines().filter(|line| line.starts_with("objects=")).collect();
    assert_eq!(totals.len(), packs(&env).len(), "{totals:?}");
}

#[test]
fn verify_pack_reports_damage_and_continues() {
    let env = history();
    let all = packs(&env);
    let damaged = all[1].file_name().unwrap().to_str().unwrap();
    let whole = fs::read(&all[1]).unwrap();
    for at in [0, 20, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&all[1], bytes).unwrap();
        let output = env.undo("verify-pack").fails(5);
        let text = output.text();
        let lines: Vec<&str> = text.lines().filter(|line| !line.ends_with(": ok")).collect();
        assert!(lines.len() == 1 && lines[0].starts_with(&format!("{damaged}: pack `")), "{at}: {text}");
        assert_eq!(text.lines().count(), all.len());
    }
    fs::remove_file(&all[1]).unwrap();
    env.undo(&format!("verify-pack {damaged}")).shows(str![[r#"
[ID]: pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing
[exit 5]

"#]]);
    env.undo(&format!("verify-pack --json {damaged}")).shows(str![[r#"
{"type":"pack","id":"[ID]","ok":false,"reason":"pack `[ROOT]/work/.undo/packs/[..]/[ID]` is missing","objects":0,"frames":[0,0,0],"raw":[..],"stored":[..]}
{"type":"summary","packs":1,"damaged":1}
[exit 5]

"#]]);
    env.undo("count-objects").fails(5);
}
