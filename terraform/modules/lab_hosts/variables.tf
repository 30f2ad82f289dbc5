# SPDX-License-Identifier: Apache-2.0
variable "hosts" {
  description = "The lab's hosts: name → distro (debian12, debian13), memory in MiB, cpus, arch (amd64, arm64)."
  type = map(object({
    distro = string
    memory = optional(number, 1024)
    cpus   = optional(number, 2)
    arch   = optional(string, "amd64")
  }))

  validation {
    condition     = length(var.hosts) >= 1 && length(var.hosts) <= 10
    error_message = "hosts: a lab has 1 to 10 hosts, this one has ${length(var.hosts)}."
  }
  validation {
    condition     = alltrue([for name, host in var.hosts : can(regex("^[a-z][a-z0-9-]{0,30}$", name))])
    error_message = "hosts: a name starts with a letter and has only a-z, 0-9 and -; wrong: ${join(", ", [for name, host in var.hosts : name if !can(regex("^[a-z][a-z0-9-]{0,30}$", name))])}."
  }
  validation {
    condition     = alltrue([for name, host in var.hosts : can(regex("^[a-z]+[0-9]+$", host.distro))])
    error_message = "hosts: distro is a name with its release, like debian12; wrong: ${join(", ", [for name, host in var.hosts : "${name} (${host.distro})" if !can(regex("^[a-z]+[0-9]+$", host.distro))])}."
  }
  validation {
    condition     = alltrue([for name, host in var.hosts : contains(["amd64", "arm64"], host.arch)])
    error_message = "hosts: arch is amd64 or arm64; wrong: ${join(", ", [for name, host in var.hosts : "${name} (${host.arch})" if !contains(["amd64", "arm64"], host.arch)])}."
  }
  validation {
    condition     = alltrue([for name, host in var.hosts : host.memory >= 512 && host.memory <= 65536 && floor(host.memory) == host.memory])
    error_message = "hosts: memory is a whole number of MiB from 512 to 65536; wrong: ${join(", ", [for name, host in var.hosts : "${name} (${host.memory})" if host.memory < 512 || host.memory > 65536 || floor(host.memory) != host.memory])}."
  }
  validation {
    condition     = alltrue([for name, host in var.hosts : host.cpus >= 1 && host.cpus <= 64 && floor(host.cpus) == host.cpus])
    error_message = "hosts: cpus is a whole number from 1 to 64; wrong: ${join(", ", [for name, host in var.hosts : "${name} (${host.cpus})" if host.cpus < 1 || host.cpus > 64 || floor(host.cpus) != host.cpus])}."
  }
}

variable "addresses" {
  description = "Name → address, as far as known; hosts that are not named here are on this machine, 127.0.0.1."
  type        = map(string)
  default     = {}
}

variable "port_base" {
  description = "SSH port of the first host in the order of names, the next has the next; null: every host has 22."
  type        = number
  default     = null

  validation {
    condition     = var.port_base == null ? true : var.port_base >= 1024 && var.port_base <= 65500 && floor(var.port_base) == var.port_base
    error_message = "port_base: a whole number from 1024 to 65500."
  }
}

variable "state_dir" {
  description = "Absolute path of the folder that holds ssh_key and hosts/<name>/known_hosts."
  type        = string

  validation {
    condition     = startswith(var.state_dir, "/") && !can(regex("[\\s'\"]", var.state_dir))
    error_message = "state_dir: an absolute path without blanks and quotes, because it becomes part of ssh's options."
  }
}

variable "authorized_key" {
  description = "Public key line that root, alice and bob accept."
  type        = string
  default     = ""
}

variable "host_keys" {
  description = "Name → the host's own ed25519 key pair; a host that is not named makes its own."
  type        = map(object({ private = string, public = string }))
  default     = {}
}

variable "bob_password" {
  description = "Password of bob, the one lab user who has one."
  type        = string
  default     = "lab"

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,64}$", var.bob_password))
    error_message = "bob_password: 3 to 64 of A-Z a-z 0-9 _ . -"
  }
}
