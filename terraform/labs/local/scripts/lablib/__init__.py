# SPDX-License-Identifier: Apache-2.0
"""What Terraform cannot do by itself for the local lab: build images, make disks, run QEMU."""
