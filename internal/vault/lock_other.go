//go:build !unix

package vault

import (
	"os"

	"github.com/sotto-chat/sotto"
)

// lockFile only makes the file: there is no lock that ends with the process on
// this system. Run one process for a key store.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, sotto.E("vault.lock", sotto.KindUnavailable, err)
	}
	return f, nil
}
