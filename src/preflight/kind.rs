//! Every kind of finding. `docs/preflight.md` lists them in this order.

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Informs,
    /// Something will be slow, or break, unless somebody looks after it.
    Warns,
    /// The change cannot be carried out, or would do harm.
    Blocks,
}

impl Severity {
    /// `blocks`, `warns` or `informs`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Informs => "informs",
            Self::Warns => "warns",
            Self::Blocks => "blocks",
        }
    }
}

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is described in docs/preflight.md, and by its findings")]
pub enum Kind {
    // Drift.
    TableMissing,
    ColumnMissing,
    ColumnDiffers,
    ObjectMissing,
    ObjectDiffers,
    ObjectUnknown,
    OwnChanged,
    // Dependents.
    View,
    Function,
    FunctionText,
    StatementText,
    StatementsUnknown,
    Policy,
    PublicationColumns,
    TriggerOnColumn,
    GeneratedColumn,
    LaterTrigger,
    RowTrigger,
    EventTrigger,
    // Privileges.
    NotOwner,
    SchemaPrivilege,
    DatabasePrivilege,
    LedgerPrivilege,
    TablePrivilege,
    WriterLacks,
    RowSecurity,
    // Replication.
    NoReplicaIdentity,
    Published,
    Subscribed,
    ReplicaRole,
    // Room.
    TooManyColumns,
    DiskSpace,
    DiskFull,
    // What goes on.
    LongTransaction,
    PreparedTransaction,
    LockHeld,
    InvalidIndex,
    VacuumRunning,
    Wraparound,
    // Server and session.
    ServerTooOld,
    ServerUntested,
    ConcurrentlyUnsafe,
    ReadOnly,
    Pooler,
    Setting,
    Blind,
    BlindSpot,
    // Rows.
    Rows,
    NotChecked,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 49] = [
        Self::TableMissing,
        Self::ColumnMissing,
        Self::ColumnDiffers,
        Self::ObjectMissing,
        Self::ObjectDiffers,
        Self::ObjectUnknown,
        Self::OwnChanged,
        Self::View,
        Self::Function,
        Self::FunctionText,
        Self::StatementText,
        Self::StatementsUnknown,
        Self::Policy,
        Self::PublicationColumns,
        Self::TriggerOnColumn,
        Self::GeneratedColumn,
        Self::LaterTrigger,
        Self::RowTrigger,
        Self::EventTrigger,
        Self::NotOwner,
        Self::SchemaPrivilege,
        Self::DatabasePrivilege,
        Self::LedgerPrivilege,
        Self::TablePrivilege,
        Self::WriterLacks,
        Self::RowSecurity,
        Self::NoReplicaIdentity,
        Self::Published,
        Self::Subscribed,
        Self::ReplicaRole,
        Self::TooManyColumns,
        Self::DiskSpace,
        Self::DiskFull,
        Self::LongTransaction,
        Self::PreparedTransaction,
        Self::LockHeld,
        Self::InvalidIndex,
        Self::VacuumRunning,
        Self::Wraparound,
        Self::ServerTooOld,
        Self::ServerUntested,
        Self::ConcurrentlyUnsafe,
        Self::ReadOnly,
        Self::Pooler,
        Self::Setting,
        Self::Blind,
        Self::BlindSpot,
        Self::Rows,
        Self::NotChecked,
    ];

    /// Its name, which stays what it is from release to release.
    pub fn id(self) -> &'static str {
        self.facts().0
    }

    /// How much it matters, where nothing is known that makes it less.
    pub fn severity(self) -> Severity {
        self.facts().1
    }

    /// Whether a run may go on in spite of it, when it is named.
    pub fn can_be_overridden(self) -> bool {
        self.facts().2
    }

    /// Whether it says that the database is not as it was declared.
    pub fn is_drift(self) -> bool {
        (Self::TableMissing..=Self::OwnChanged).contains(&self)
    }

    fn facts(self) -> (&'static str, Severity, bool) {
        use Severity::{Blocks, Informs, Warns};
        match self {
            Self::TableMissing => ("table-missing", Blocks, false),
            Self::ColumnMissing => ("column-missing", Blocks, false),
            Self::ColumnDiffers => ("column-differs", Blocks, true),
            Self::ObjectMissing => ("object-missing", Blocks, false),
            Self::ObjectDiffers => ("object-differs", Blocks, true),
            Self::ObjectUnknown => ("object-unknown", Blocks, true),
            Self::OwnChanged => ("own-changed", Blocks, true),
            Self::View => ("view", Blocks, false),
            Self::Function => ("function", Blocks, false),
            Self::FunctionText => ("function-text", Warns, true),
            Self::StatementText => ("statement-text", Warns, true),
            Self::StatementsUnknown => ("statements-unknown", Informs, true),
            Self::Policy => ("policy", Blocks, false),
            Self::PublicationColumns => ("publication-columns", Blocks, false),
            Self::TriggerOnColumn => ("trigger-on-column", Blocks, false),
            Self::GeneratedColumn => ("generated-column", Blocks, false),
            Self::LaterTrigger => ("later-trigger", Warns, true),
            Self::RowTrigger => ("row-trigger", Informs, true),
            Self::EventTrigger => ("event-trigger", Warns, true),
            Self::NotOwner => ("not-owner", Blocks, false),
            Self::SchemaPrivilege => ("schema-privilege", Blocks, false),
            Self::DatabasePrivilege => ("database-privilege", Blocks, false),
            Self::LedgerPrivilege => ("ledger-privilege", Blocks, false),
            Self::TablePrivilege => ("table-privilege", Blocks, false),
            Self::WriterLacks => ("writer-lacks", Warns, true),
            Self::RowSecurity => ("row-security", Blocks, false),
            Self::NoReplicaIdentity => ("no-replica-identity", Blocks, false),
            Self::Published => ("published", Warns, true),
            Self::Subscribed => ("subscribed", Blocks, true),
            Self::ReplicaRole => ("replica-role", Warns, true),
            Self::TooManyColumns => ("too-many-columns", Blocks, false),
            Self::DiskSpace => ("disk-space", Informs, true),
            Self::DiskFull => ("disk-full", Blocks, true),
            Self::LongTransaction => ("long-transaction", Warns, true),
            Self::PreparedTransaction => ("prepared-transaction", Warns, true),
            Self::LockHeld => ("lock-held", Warns, true),
            Self::InvalidIndex => ("invalid-index", Warns, true),
            Self::VacuumRunning => ("vacuum-running", Warns, true),
            Self::Wraparound => ("wraparound", Warns, true),
            Self::ServerTooOld => ("server-too-old", Blocks, false),
            Self::ServerUntested => ("server-untested", Warns, true),
            Self::ConcurrentlyUnsafe => ("concurrently-unsafe", Blocks, true),
            Self::ReadOnly => ("read-only", Blocks, false),
            Self::Pooler => ("pooler", Blocks, true),
            Self::Setting => ("setting", Warns, true),
            Self::Blind => ("blind", Warns, true),
            Self::BlindSpot => ("blind-spot", Warns, true),
            Self::Rows => ("rows", Blocks, false),
            Self::NotChecked => ("not-checked", Warns, true),
        }
    }
}
