// Package outlet tells other systems of changes that were made here: Grafana, PagerDuty,
// a chat with Slack's incoming webhooks, or any address that takes a signed webhook. It
// never delays a change: what is to be told waits in a bounded queue, is tried again for
// a while, and what could not be told is said.
package outlet
