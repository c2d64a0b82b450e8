package etcd

// SmallAnswers makes an answer above so many bytes fail, as one above 256 MiB does.
func SmallAnswers(n int) func(*Options) { return func(o *Options) { o.answer = n } }
