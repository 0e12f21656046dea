import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { npmCache, writeBuildBase, writeRunBase } from './debian-base.ts'
import { programMissing } from './program-missing.ts'

const root = join(import.meta.dirname, '../../..')

/** Why a test of the image is skipped, or `false`. */
export const buildahMissing = programMissing('buildah', ['--version'], 'buildah') || mountMissing()

/** The part of an image's configuration that decides how a container starts. */
export interface ImageConfig {
  readonly User: string
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly WorkingDir: string
}

/** The images of a test, in a storage of their own that ends with the test. */
export interface Images {
  /** Builds an image from a Dockerfile, with base images that are already there. */
  build(name: string, context: string, options?: readonly string[]): Promise<void>
  /** Returns the configuration of an image, and the command of its health check. */
  inspect(name: string): Promise<{ readonly config: ImageConfig; readonly healthCheck: readonly string[] }>
  /** Returns the folder with the root file system of an image. */
  mount(name: string): Promise<string>
}

/** Opens a storage for images. */
export function openImages(t: Test): Images {
  const folder = mkdtempSync(join(tmpdir(), 'headwaters-images-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs']
  const buildah = async (...args: readonly string[]) => {
    const { stdout } = await promisify(execFile)('buildah', [...storage, ...args], { maxBuffer: 2 ** 26 })
    return stdout.trim()
  }
  return {
    async build(name, context, options = []) {
      await buildah('bud', '--isolation', 'chroot', '--format', 'docker', '--quiet', ...options, '-t', name, context)
    },
    async inspect(name) {
      const { Docker } = JSON.parse(await buildah('inspect', '--type', 'image', name)) as {
        readonly Docker: {
          readonly config: ImageConfig & { readonly Healthcheck: { readonly Test: readonly string[] } }
        }
      }
      const [kind, ...healthCheck] = Docker.config.Healthcheck.Test
      if (kind !== 'CMD') throw new Error(`the health check is ${kind}, which needs a shell`)
      return { config: Docker.config, healthCheck }
    },
    mount: async name => buildah('mount', await buildah('from', name)),
  }
}

/**
 * Builds the image of the Dockerfile. No base image can be fetched in a sandbox, so the bases are made from the files of
 * this machine's Debian packages, its Node.js and its npm. The packages of the lock come from the cache of npm, or from
 * the registry.
 */
export async function buildServiceImage(t: Test, images: Images): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headwaters-bases-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, write] of [
    ['build-base', writeBuildBase],
    ['run-base', writeRunBase],
  ] as const) {
    const base = join(folder, name)
    mkdirSync(base)
    write(base)
    await images.build(name, base, ['--file', join(root, 'test/ops/image/base.Dockerfile')])
  }
  const cache = spawnSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).stdout.trim()
  const bases = ['--build-arg', 'NODE_IMAGE=localhost/build-base', '--build-arg', 'RUN_IMAGE=localhost/run-base']
  await images.build('headwaters', root, [...bases, '--volume', `${cache}:${npmCache}`, '--network', 'host'])
}

function mountMissing(): string | false {
  if (spawnSync('unshare', ['--mount', 'true']).status === 0) return false
  const reason = 'this process may not mount file systems, which a container needs (docker run --privileged)'
  if (process.env['HEADWATERS_TEST_ALL'] === '1')
    throw new Error(`HEADWATERS_TEST_ALL=1 allows no skipped test, and ${reason}`)
  return reason
}
