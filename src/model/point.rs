//! The names of port calls: where latency is spent and where a call can go wrong.

use super::words::words;

words!(
    /// A call of one of the ports.
    Point {
        /// Read one entity.
        StoreGet = "store.get",
        /// Read the entities of an index.
        StoreList = "store.list",
        /// Write a new entity.
        StoreCreate = "store.create",
        /// Write named fields.
        StorePatch = "store.patch",
        /// Remove an entity.
        StoreDelete = "store.delete",
        /// A watch hands over an event.
        WatchDeliver = "watch.deliver",
        /// Take an address of the node's subnet.
        AllocateAddress = "sandbox.allocate_address",
        /// Fetch an image to the node.
        PullImage = "sandbox.pull_image",
        /// Make a container.
        CreateContainer = "sandbox.create_container",
        /// Start its task.
        Start = "sandbox.start",
        /// Ask whether a port answers.
        ProbePort = "sandbox.probe_port",
        /// Send a signal to a container's task.
        Signal = "sandbox.signal",
        /// Remove a container and its task.
        Destroy = "sandbox.destroy",
        /// Make a volume.
        CreateVolume = "disk.create_volume",
        /// Take the exclusive lease of a volume.
        AcquireVolume = "disk.acquire_volume",
        /// Format a volume that has no file system.
        Initialise = "disk.initialise",
        /// Mount a volume.
        Mount = "disk.mount",
        /// Unmount a volume.
        Unmount = "disk.unmount",
        /// Give back the exclusive lease of a volume.
        ReleaseVolume = "disk.release_volume",
        /// Remove a volume.
        DeleteVolume = "disk.delete_volume",
    }
);

words!(
    /// What a fault does to a call.
    EffectKind {
        /// It fails, and nothing is done.
        Error = "error",
        /// It never ends.
        Hang = "hang",
        /// It takes longer.
        Delay = "delay",
        /// The work is done, and the caller sees an error.
        LoseReply = "lose_reply",
        /// A read answers what was true a while ago.
        Stale = "stale",
        /// A watch event is lost.
        Drop = "drop",
        /// The calling process dies.
        Crash = "crash",
    }
);

impl Point {
    /// The group before the dot: `store`, `watch`, `sandbox`, `disk`.
    pub fn group(self) -> &'static str {
        self.name().split('.').next().unwrap_or_default()
    }
}
