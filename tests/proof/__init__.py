"""`make proof`: the catalogue's promises, on the servers that they are about.

Not part of `make test`: it installs six servers, a bridge and an emulator from the
package registry, which takes minutes and the registry.
"""
