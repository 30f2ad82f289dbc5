# SPDX-License-Identifier: Apache-2.0
variable "hosts" {
  description = "The lab's hosts: name → distro (debian12, debian13), memory in MiB, cpus, arch (amd64, arm64)."
  type = map(object({
    distro = string
    memory = optional(number, 1024)
    cpus   = optional(number, 2)
    arch   = optional(string, "amd64")
  }))
  default = {
    debian12 = { distro = "debian12" }
    debian13 = { distro = "debian13" }
  }
}

variable "accel" {
  description = "How QEMU runs the hosts: kvm, tcg (emulation), or auto: KVM if it boots the image in time, else tcg."
  type        = string
  default     = "auto"

  validation {
    condition     = contains(["auto", "kvm", "tcg"], var.accel)
    error_message = "accel: auto, kvm or tcg, not ${var.accel}."
  }
}

variable "mirror" {
  description = "URI of a Debian archive to build images from; empty: the machine's own apt sources, else mmdebstrap's default."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^((https?|file|copy)://?\\S+)?$", var.mirror))
    error_message = "mirror: an http, https, file or copy URI without blanks, like http://HOST/debian, not '${var.mirror}'."
  }
}

variable "image" {
  description = "Path of a cloud image to boot with a NoCloud seed; empty: images are built. It must fit the hosts' distro and arch."
  type        = string
  default     = ""

  validation {
    condition     = var.image == "" ? true : fileexists(pathexpand(var.image))
    error_message = "image: there is no file ${var.image} (relative paths count from terraform/labs/local)."
  }
}

variable "state_dir" {
  description = "Folder of the lab's disks, keys, known_hosts and logs; a relative path counts from the repository's root."
  type        = string
  default     = "build/lab"

  validation {
    condition     = can(regex("^[^\\s'\"]+$", var.state_dir))
    error_message = "state_dir: a path without blanks and quotes."
  }
}

variable "port_base" {
  description = "SSH port of the first host on 127.0.0.1; the next has the next. null: derived from state_dir, so that labs do not meet."
  type        = number
  default     = null
}

variable "cache_dir" {
  description = "Folder of the built images, shared by labs; a relative path counts from the repository's root."
  type        = string
  default     = "build/images"

  validation {
    condition     = can(regex("^[^\\s'\"]+$", var.cache_dir))
    error_message = "cache_dir: a path without blanks and quotes."
  }
}

variable "bob_password" {
  description = "Password of bob, the one lab user who has one."
  type        = string
  default     = "lab"
}
