// Package web is what drivers that speak HTTP share: the words for a request that
// failed (Fault, BadStatus) and a small JSON client (Client) that is bounded in time
// and size, gives its credentials to one host only and says in every error what the
// server said, but never an address or a token.
//
// It is no driver. What a status means to one system in particular (a pending
// approval, a rate limit in a header of its own) is its driver's matter: StatusOf,
// Said and Response carry what is needed for that.
package web
