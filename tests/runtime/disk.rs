//! A disk without room.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use coexist::sandbox::Sandbox;
use coexist::{Options, Pace};

use crate::plans::rename;
use crate::world::{Told, World, eventually};

/// A file system in memory, which the server can write to.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// `None` where this user may not mount one.
    fn mount(at: &Path, size: &str) -> Option<Self> {
        let folder = at.join("small");
        let about = at.metadata().unwrap();
        std::fs::create_dir(&folder).unwrap();
        let disk = Self { folder };
        if !disk.mounted(&format!("size={size}")) {
            eprintln!("skipped: this user may not mount a file system");
            return None;
        }
        chown(&disk.folder, Some(about.uid()), Some(about.gid())).unwrap();
        Some(disk)
    }

    fn mounted(&self, options: &str) -> bool {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(&self.folder).output();
        mount.is_ok_and(|output| output.status.success())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).output();
    }
}

#[test]
fn h06_a_full_disk_pauses_the_backfill_until_there_is_room() {
    // Of its own: a tablespace belongs to the whole server.
    let sandbox = Sandbox::start().unwrap();
    let Some(disk) = SmallDisk::mount(sandbox.socket_dir(), "2m") else { return };
    let world = World { database: sandbox.database("disk").unwrap(), server: sandbox.version() };
    world.execute(&format!("create tablespace small location '{}'", disk.folder.display()));
    world.execute(
        "create table users (id bigint generated always as identity, name text not null, bio text) tablespace small;
        insert into users (name, bio) select 'name ' || i, repeat('bio', 30) from generate_series(1, 3000) as i",
    );
    // To the last block, in pages that have no room for copies.
    let filler = "create table if not exists filler (bytes text) tablespace small; insert into filler select repeat('x', 1000) from generate_series(1, 7)";
    let mut client = world.client();
    while client.batch_execute(filler).is_ok() {}
    let plan = rename();
    let (mut other, told) = (world.runner(), Told::default());
    other.expand(&plan).unwrap();
    other.dual_write(&plan).unwrap();
    let mut runner = world.runner_with(Options::default().on_event(told.observer()));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| runner.backfill(&plan, &Pace::default()));
        eventually("it pauses", || {
            told.text().contains("paused; waiting to be resumed (the disk of the server is full)")
        });
        let status = other.status(&plan).unwrap();
        assert_eq!(status.pause_reason.as_deref(), Some("the disk of the server is full"));
        assert!(world.count("users where full_name is null") > 0);
        assert!(disk.mounted("remount,size=20m"));
        other.resume(&plan.change).unwrap();
        run.join().unwrap().unwrap();
    });
    assert_eq!(world.count("users where full_name is distinct from name"), 0);
    assert_eq!(told.text().matches("paused; waiting").count(), 1, "{}", told.text());
}
