//! Rules about volumes and the data on them.
//!
//! They compare the volume service's own truth with the disks of the store. What a newcomer gets wrong:
//! a disk that no program was ever started with holds no data, so none can be lost.

use crate::model::{DiskId, Name, VolumeId};
use crate::ports::Query;
use crate::world::judge::memory::{Text, View};

/// `volume-has-disk`: a volume is some disk's. One that was made for a disk which names none yet may
/// become its.
pub(in crate::world::judge) fn volume_has_disk(view: View<'_>, volume: VolumeId) -> Option<Text> {
    let made_for = view.world.volumes().get(volume)?.disk;
    let mut has = false;
    view.world.tables().disks.for_each(Query::All, |disk| {
        let names = disk.entity.volume;
        has |= names == Some(volume) || (disk.id == made_for && names.is_none());
    });
    let limit = view.limits.grace.volume_has_disk;
    view.broken(!has, || format!("no disk has it: limit {}", limit.clock()))
}

/// `volume-keeps-its-app`: no program of another app gets a volume.
pub(in crate::world::judge) fn volume_keeps_its_app(view: View<'_>, volume: VolumeId, user: Name) -> Option<Text> {
    let owner = view.memory.volumes.owner(volume)?;
    view.broken(owner != user, || format!("it was made for app/{owner}, and a program of app/{user} gets it"))
}

/// `used-disk-keeps-data`: a disk that an active version names is not deleted. Asked when one is gone.
pub(in crate::world::judge) fn used_disk_keeps_data(view: View<'_>, disk: DiskId) -> Option<Text> {
    let user = view.memory.owners.wanting_app(view.memory.volumes.name_of_used(disk)?)?;
    view.broken(true, || format!("it is deleted, and {} uses it: its data are lost", view.world.log().name(user)))
}
