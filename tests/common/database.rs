//! The config that many stories deploy: a database that runs once, on a disk of 20 GB.

/// It, with the key that says the size: `size_gb`, or `size` as the incident misspelt it.
macro_rules! database {
    ($size:literal) => {
        concat!(
            "[services.database.concurrency]\nmode = \"fixed\"\nnum_instances = 1\n",
            "[[services.database.disks]]\nname = \"pds-data\"\nmount_path = \"/data\"\n",
            $size,
            " = 20\n"
        )
    };
}
