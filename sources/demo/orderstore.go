package demo

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"relctl-tui/sources"
)

// Order is one row of an order store.
type Order struct {
	ID    int64
	User  string
	Cents int64
}

// orderStore is one SQLite file of orders. It is safe for use from any goroutine.
type orderStore struct {
	mu        sync.Mutex
	db        *sqlite3.Conn
	put, find *sqlite3.Stmt
}

func openOrders(path string) (*orderStore, error) {
	s := &orderStore{}
	fail := func(err error) (*orderStore, error) {
		_ = s.close()
		return nil, fmt.Errorf("the demo's orders cannot be kept in %s (%w): %w", filepath.Base(path), err, sources.ErrUnavailable)
	}
	var err error
	if s.db, err = sqlite3.Open(path); err != nil {
		return fail(err)
	}
	// The fleet's life is the files' life, so nothing need survive a power cut.
	err = s.db.Exec(`PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = OFF;
		CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, user TEXT NOT NULL, cents INTEGER NOT NULL)`)
	if err != nil {
		return fail(err)
	}
	if s.put, _, err = s.db.Prepare(`INSERT INTO orders VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET user = excluded.user, cents = excluded.cents`); err != nil {
		return fail(err)
	}
	if s.find, _, err = s.db.Prepare(`SELECT id, user, cents FROM orders WHERE id = ?`); err != nil {
		return fail(err)
	}
	return s, nil
}

func (s *orderStore) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return nil
	}
	for _, stmt := range []*sqlite3.Stmt{s.put, s.find} {
		if stmt != nil {
			_ = stmt.Close()
		}
	}
	err := s.db.Close()
	s.db = nil
	return err
}

// errClosed is the error of an order that comes when the fleet has gone.
var errClosed = errors.New("the store is closed")

// write adds orders, or replaces those that are there, in one transaction.
func (s *orderStore) write(orders ...Order) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return errClosed
	}
	if len(orders) == 1 {
		return s.writeOne(&orders[0])
	}
	tx := s.db.Begin()
	var err error
	for i := range orders {
		if err = s.writeOne(&orders[i]); err != nil {
			break
		}
	}
	tx.End(&err)
	return err
}

func (s *orderStore) writeOne(o *Order) error {
	if err := s.put.BindInt64(1, o.ID); err != nil {
		return err
	}
	if err := s.put.BindText(2, o.User); err != nil {
		return err
	}
	if err := s.put.BindInt64(3, o.Cents); err != nil {
		return err
	}
	return s.put.Exec()
}

// read is one order; the zero Order when it is not there.
func (s *orderStore) read(id int64) (o Order, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return o, errClosed
	}
	if err = s.find.BindInt64(1, id); err != nil {
		return o, err
	}
	if s.find.Step() {
		o = row(s.find)
	}
	return o, s.find.Reset()
}

func row(s *sqlite3.Stmt) Order {
	return Order{ID: s.ColumnInt64(0), User: s.ColumnText(1), Cents: s.ColumnInt64(2)}
}

// all is every order, by ID.
func (s *orderStore) all() ([]Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return nil, errClosed
	}
	return allOf(s.db)
}

func allOf(db *sqlite3.Conn) (out []Order, err error) {
	stmt, _, err := db.Prepare(`SELECT id, user, cents FROM orders ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stmt.Close() }()
	for stmt.Step() {
		out = append(out, row(stmt))
	}
	return out, stmt.Err()
}

// ReadOrders is every order of a file, by ID, read anew and read-only.
func ReadOrders(path string) ([]Order, error) {
	db, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READONLY)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read (%w): %w", filepath.Base(path), err, sources.ErrUnavailable)
	}
	defer func() { _ = db.Close() }()
	out, err := allOf(db)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read (%w): %w", filepath.Base(path), err, sources.ErrInvalid)
	}
	return out, nil
}
