import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { untilEvent } from '../../helpers/until.ts'
import type { ImageConfig } from './buildah.ts'

export interface ContainerOptions {
  /** The folder with the root file system of the image. */
  readonly rootFolder: string
  readonly config: ImageConfig
  /** Variables beside those of the image. */
  readonly environment?: Readonly<Record<string, string>>
  /** A folder of this machine that is mounted at `/definitions`. @default the folder of the image */
  readonly definitions?: string
}

/** A container that a test has started. */
export interface Container {
  readonly pid: number
  readonly child: ChildProcess
  /** Resolves with the first line of the log with these words. */
  said(words: string): Promise<string>
  /** Resolves with the exit code and the signal that ended it. */
  readonly ended: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>
}

/**
 * The shell of this machine prepares the mounts, and then replaces itself by the program in the image: the root file
 * system is read-only, and the user has no right to write to it anyway.
 */
const prepare = `
  mount --bind "$ROOT" "$ROOT"
  for name in proc dev; do
    mkdir -p "$ROOT/$name"
    mount --bind "/$name" "$ROOT/$name"
  done
  if [ -n "$DEFINITIONS" ]; then
    mount --bind "$DEFINITIONS" "$ROOT/definitions"
    mount -o remount,bind,ro "$ROOT/definitions"
  fi
  mount -o remount,bind,ro "$ROOT"
  exec setpriv --no-new-privs env --ignore-environment "$@"`

function argumentsOf({ rootFolder, config, environment = {} }: ContainerOptions, program: readonly string[]): string[] {
  const variables = [...config.Env, ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)]
  const inside = ['/usr/sbin/chroot', `--userspec=${config.User}`, rootFolder, ...program]
  return ['--mount', 'sh', '-euc', prepare, 'sh', ...variables, ...inside]
}

function mounts({ rootFolder, definitions = '' }: ContainerOptions) {
  return { PATH: process.env['PATH'] ?? '', ROOT: rootFolder, DEFINITIONS: definitions }
}

/** Starts a container as its image says: the user, the variables, the entry point. It ends with the test. */
export function startContainer(t: Test, options: ContainerOptions): Container {
  const { config } = options
  const child = spawn('unshare', argumentsOf(options, [...config.Entrypoint, ...config.Cmd]), {
    env: mounts(options),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const log: string[] = []
  const lines = createInterface(child.stdout)
  lines.on('line', line => log.push(line))
  return {
    pid: child.pid as number,
    child,
    ended,
    async said(words) {
      const found = () => log.find(line => line.includes(words))
      await untilEvent(lines, 'line', () => found() !== undefined, { seen: () => log })
      return found() as string
    },
  }
}

/** Runs a program in a container of an image, and resolves with its exit code and its output. */
export async function runInContainer(options: ContainerOptions, program: readonly string[]) {
  return new Promise<{ readonly code: unknown; readonly output: string }>(resolve => {
    execFile('unshare', argumentsOf(options, program), { env: mounts(options) }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr })
    })
  })
}
