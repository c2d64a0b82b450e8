package flagfile

import (
	"os"

	"golang.org/x/sys/unix"
)

const aclName = "system.posix_acl_access"

// keepACL gives the new file its predecessor's access list, which the mode bits
// alone would turn into rights of the group. Most files have none.
func keepACL(f *os.File, old string) (warning string) {
	list := make([]byte, 4096)
	n, err := unix.Getxattr(old, aclName, list)
	if err == nil && n > 0 {
		err = unix.Fsetxattr(int(f.Fd()), aclName, list[:n], 0)
	} else if err != unix.ERANGE { // anything else says that there is none
		return ""
	}
	if err != nil {
		return "the file's access list (ACL) could not be kept"
	}
	return ""
}
