package sshserver_test

import (
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"relctl-tui/ui/sshserver"
)

func TestAConnectionOutlivesNoKeyThatWasTakenOut(t *testing.T) {
	t.Parallel()
	ana, anaLine := key(t, "ana")
	bo, boLine := key(t, "bo")
	cy, cyLine := key(t, "cy")
	d := opened(t, []string{`role="operator" ` + anaLine, `role="operator" ` + boLine, cyLine}, nil)
	removed, lowered, kept := d.enter(ana), d.enter(bo), d.enter(cy)
	require.Equal(t, "ana|operator|me|80x24||x", says(t, removed, "x"))
	watched := stays(t, lowered, "wait")

	d.letIn(boLine, cyLine) // ana is gone, bo may look
	_, err := watched()
	require.Error(t, err, "the session of a key whose role has changed ends")
	for name, c := range map[string]*ssh.Client{"ana": removed, "bo": lowered} {
		_, err := c.NewSession()
		require.ErrorContains(t, err, "not let in any more", name)
		d.awaitLog("refused", "what=session", "who="+name)
	}
	require.Equal(t, "cy|viewer|me|80x24||x", says(t, kept, "x"), "whose line stayed")
	require.Equal(t, "bo|viewer|me|80x24||x", says(t, d.enter(bo), "x"), "who comes in anew has the new role")
}

func TestASessionWhoseClientReadsNoErrorsEndsAsOneThatReadsNothing(t *testing.T) {
	t.Parallel()
	ana, line := key(t, "ana")
	var mu sync.Mutex
	now := time.Now()
	d := opened(t, []string{line}, func(o *sshserver.Options) {
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	c := d.enter(ana)
	ch, requests, err := c.OpenChannel("session", nil)
	require.NoError(t, err)
	go ssh.DiscardRequests(requests)
	ok, err := ch.SendRequest("exec", true, ssh.Marshal(struct{ C string }{"complain"}))
	require.NoError(t, err)
	require.True(t, ok)
	d.awaitLog("began", "complain") // and its window fills up, for nobody reads
	require.Eventually(t, func() bool {
		mu.Lock()
		now = now.Add(10 * time.Minute)
		mu.Unlock()
		return d.lines("ended", "the client takes nothing any more") > 0
	}, patience, 50*time.Millisecond, "%s", d.logged())
}

func TestAnEditOfTheFileEndsNoSessionWhoseShortLivedCertificateHasExpired(t *testing.T) {
	t.Parallel()
	ca, caLine := key(t, "our CA")
	mine, _ := key(t, "mine")
	bo, boLine := key(t, "bo")
	var mu sync.Mutex
	now := time.Now()
	d := opened(t, []string{`cert-authority ` + caLine, boLine}, func(o *sshserver.Options) {
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	cert := ssh.Certificate{
		Key: mine.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"ana"},
		ValidAfter: uint64(now.Add(-time.Minute).Unix()), ValidBefore: uint64(now.Add(5 * time.Minute).Unix()),
	}
	require.NoError(t, cert.SignCert(rand.Reader, ca))
	signer, err := ssh.NewCertSigner(&cert, mine)
	require.NoError(t, err)
	c, err := dial(d, "ana", ssh.PublicKeys(signer))
	require.NoError(t, err)
	defer c.Close()
	certified, removed := stays(t, c, "wait"), stays(t, d.enter(bo), "wait")
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()

	d.letIn(`cert-authority ` + caLine)
	_, err = removed()
	require.Error(t, err)
	_, err = c.NewSession()
	require.ErrorContains(t, err, "not let in any more", "an expired certificate begins nothing")
	require.NoError(t, d.stop())
	rest, _ := certified()
	require.Contains(t, rest, "the server is being stopped")
	_, err = dial(d, "ana", ssh.PublicKeys(signer))
	require.Error(t, err)
}

func TestASessionEndsWhenTheTimeOfItsKeyIsOver(t *testing.T) {
	t.Parallel()
	ana, anaLine := key(t, "ana")
	bo, boLine := key(t, "bo")
	cy, cyLine := key(t, "cy")
	var mu sync.Mutex
	now := time.Date(2026, 3, 14, 11, 0, 0, 0, time.UTC)
	pass := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	d := opened(t, []string{
		`expiry-time="202603141200Z" ` + anaLine,
		`role="operator",expiry-time="202603141200Z" ` + boLine,
		`expiry-time="202603141200Z" ` + cyLine, `expiry-time="202603141300Z" ` + cyLine,
	}, func(o *sshserver.Options) {
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	first, second, third := d.enter(ana), d.enter(bo), d.enter(cy)
	ended, prolonged, both := stays(t, first, "wait"), stays(t, second, "wait"), stays(t, third, "wait")
	// What is written into the file counts, from when it is read on.
	d.letIn(
		`expiry-time="202603141200Z" `+anaLine,
		`role="operator",expiry-time="202603141230Z" `+boLine,
		`expiry-time="202603141200Z" `+cyLine, `expiry-time="202603141300Z" `+cyLine,
	)
	pass(time.Hour)
	require.Equal(t, "ana|viewer|me|80x24||x", says(t, first, "x"), "up to the moment")
	pass(time.Second)
	rest, err := ended()
	require.Error(t, err)
	require.Equal(t, "relctl-tui: the time until which your key is let in (expiry-time) is over\n", rest)
	d.awaitLog("ended", "who=ana", "until now")
	_, err = first.NewSession()
	require.ErrorContains(t, err, "expiry-time", "its connection begins no other")
	require.Equal(t, "bo|operator|me|80x24||x", says(t, second, "x"))
	require.Zero(t, d.lines("ended", "who=bo", "until now"), "who has half an hour more stays")

	pass(30 * time.Minute)
	rest, err = prolonged()
	require.Error(t, err)
	require.Contains(t, rest, "expiry-time")
	require.Equal(t, "cy|viewer|me|80x24||x", says(t, third, "x"))
	pass(30 * time.Minute)
	rest, err = both()
	require.Error(t, err)
	require.Contains(t, rest, "expiry-time", "of several lines the last counts")
}
