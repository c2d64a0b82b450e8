package sources

import "context"

// Imported is the ChangeKind of a flag that came, changed or went with an import.
const Imported ChangeKind = "import"

// Importer takes a whole flagd document in: flags that are in it are added or
// replaced, and what is equal is left alone. Each changed flag has an entry in the
// store's own record of changes (see Auditor), written together with the flag. The
// store says in its documentation how much of an import is atomic.
type Importer interface {
	Import(ctx context.Context, in Import) (ImportResult, error)
}

// Import is a document to be taken in.
type Import struct {
	Document []byte        // a flagd document, as Exporter gives it
	Prune    bool          // also remove the flags that are not in it
	DryRun   bool          // work out what would be done and write nothing
	Actor    string        // for the record
	Reason   string        // for the record
	NewID    func() string // of each change: unique and sortable by time
}

// ImportStep is what an import means for one flag.
type ImportStep string

// What an import may mean for a flag.
const (
	StepAdded     ImportStep = "added"
	StepChanged   ImportStep = "changed"
	StepRemoved   ImportStep = "removed"
	StepUnchanged ImportStep = "unchanged" // in the document and in the store, and equal
	StepKept      ImportStep = "kept"      // not in the document, and not pruned
)

// Writes says that a step is one that changes the store.
func (s ImportStep) Writes() bool { return s == StepAdded || s == StepChanged || s == StepRemoved }

// ImportedFlag is one flag of an import.
type ImportedFlag struct {
	ID       FlagID
	Name     string // ID.Key, cleaned
	Step     ImportStep
	Change   string   // ID of the change; "" where nothing was written
	Old, New string   // in few words; "absent" for none
	Revision Revision // after the import; "" for none
	Written  bool     // the step was carried out
	Note     string   // what is odd about it, such as why it is broken in the document; cleaned
}

// ImportResult is what an import did, or with DryRun would do.
type ImportResult struct {
	Flags    []ImportedFlag // by key
	Document bool           // the members besides the flags were written too
	Written  int            // how many flags were written; fewer than the steps say when it broke off
	InDoubt  bool           // it broke off without knowing whether the last of it was written
}
