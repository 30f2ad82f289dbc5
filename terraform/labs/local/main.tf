# SPDX-License-Identifier: Apache-2.0
# lab → key, image → disk → host. What exists is read from files while planning (see drift.tf); what is missing is
# replaced, and everything is made and ended by scripts/lab.py.
locals {
  root      = abspath("${path.root}/../../..")
  state_dir = startswith(var.state_dir, "/") ? var.state_dir : "${local.root}/${var.state_dir}"
  cache_dir = startswith(var.cache_dir, "/") ? var.cache_dir : "${local.root}/${var.cache_dir}"
  image     = var.image == "" ? "" : abspath(pathexpand(var.image))
  tool      = abspath("${path.module}/scripts/lab.py")

  # 20000–31990 in steps of 10, the most hosts a lab has; below the ports that Linux gives to outgoing connections.
  port_base = var.port_base != null ? var.port_base : 20000 + 10 * (parseint(substr(sha256(local.state_dir), 0, 8), 16) % 1200)

  images = var.image != "" ? {} : {
    for key in distinct([for host in values(var.hosts) : "${host.distro}-${host.arch}"]) :
    key => { distro = split("-", key)[0], arch = split("-", key)[1] }
  }
  recipe = sha256(join("", [
    for name in concat(["scripts/lablib/build.py"], sort([for name in fileset("${path.module}/image", "**") : "image/${name}"])) :
    filesha256("${path.module}/${name}")
  ]))

  specs = {
    for name, host in module.hosts.hosts : name => {
      name         = name
      distro       = host.distro
      arch         = host.arch
      memory       = host.memory
      cpus         = host.cpus
      address      = host.address
      port         = host.port
      accel        = var.accel
      image        = local.image
      bob_password = var.bob_password
      state_dir    = local.state_dir
      cache_dir    = local.cache_dir
    }
  }
}

module "hosts" {
  source = "../../modules/lab_hosts"

  hosts          = var.hosts
  port_base      = local.port_base
  state_dir      = local.state_dir
  bob_password   = var.bob_password
  authorized_key = trimspace(file("${terraform_data.key.output.state_dir}/ssh_key.pub"))
}

# First made, last destroyed, and too simple to fail: whatever else an apply left half done goes with it.
resource "terraform_data" "lab" {
  input            = { tool = local.tool, state_dir = local.state_dir }
  triggers_replace = [local.state_dir]

  lifecycle {
    precondition {
      condition     = var.image == "" || length(distinct([for host in values(var.hosts) : "${host.distro} ${host.arch}"])) == 1
      error_message = "image: one image cannot be several distros; give hosts of one distro and arch, like -var 'hosts={a={distro=\"debian12\"}}'."
    }
  }

  provisioner "local-exec" {
    when        = destroy
    quiet       = true
    interpreter = ["python3", self.input.tool, "destroy"]
    command     = jsonencode(self.input)
  }
}

resource "terraform_data" "key" {
  input            = { state_dir = local.state_dir }
  triggers_replace = { lab = terraform_data.lab.id, nonce = local.key_nonce }

  provisioner "local-exec" {
    quiet       = true
    interpreter = ["python3", local.tool, "key"]
    command     = jsonencode({ state_dir = local.state_dir, nonce = self.triggers_replace.nonce })
  }
}

resource "terraform_data" "image" {
  for_each = local.images

  input            = merge(each.value, { mirror = var.mirror == "" ? "the machine's apt sources" : var.mirror, cache_dir = local.cache_dir })
  triggers_replace = { lab = terraform_data.lab.id, recipe = local.recipe, mirror = var.mirror, nonce = local.image_nonces[each.key] }

  provisioner "local-exec" {
    quiet       = true
    interpreter = ["python3", local.tool, "image"]
    command = jsonencode(merge(each.value, {
      mirror    = var.mirror
      cache_dir = local.cache_dir
      state_dir = local.state_dir
      nonce     = self.triggers_replace.nonce
    }))
  }
}

resource "terraform_data" "disk" {
  for_each = local.specs

  input = { tool = local.tool, name = each.key, state_dir = local.state_dir }
  triggers_replace = {
    image = local.image == "" ? terraform_data.image["${each.value.distro}-${each.value.arch}"].id : local.image
    key   = terraform_data.key.id
    nonce = local.disk_nonces[each.key]
    # The first boot reads these; the port is part of the name under which ssh knows the host.
    seed = [each.value.distro, each.value.arch, each.value.address, each.value.port, each.value.bob_password]
  }

  provisioner "local-exec" {
    quiet       = true
    interpreter = ["python3", local.tool, "disk"]
    command = jsonencode(merge(each.value, {
      user_data = local.image == "" ? "" : module.hosts.user_data[each.key]
      nonce     = self.triggers_replace.nonce
    }))
  }

  provisioner "local-exec" {
    when        = destroy
    quiet       = true
    interpreter = ["python3", self.input.tool, "drop-disk"]
    command     = jsonencode(self.input)
  }
}

resource "terraform_data" "host" {
  for_each = local.specs

  input = { tool = local.tool, name = each.key, state_dir = local.state_dir }
  triggers_replace = {
    disk   = terraform_data.disk[each.key].id
    nonce  = local.host_nonces[each.key]
    memory = each.value.memory
    cpus   = each.value.cpus
    accel  = each.value.accel
    port   = each.value.port
  }

  provisioner "local-exec" {
    quiet       = true
    interpreter = ["python3", local.tool, "start"]
    command     = jsonencode(merge(each.value, { user_data = "", nonce = self.triggers_replace.nonce }))
  }

  provisioner "local-exec" {
    when        = destroy
    quiet       = true
    interpreter = ["python3", self.input.tool, "stop"]
    command     = jsonencode(self.input)
  }
}
