import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { childEnvironment } from './child-environment.ts'
import { until } from './until.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
let terminals = 0

/** A terminal of 80 by 24 with a shell in it, as a user has one before him. */
export interface Terminal {
  type(text: string): Promise<void>
  press(key: string): Promise<void>
  resize(columns: number, rows: number): Promise<void>
  /** What is on the screen, without empty lines at its end; with colours as escapes where asked. */
  screen(options?: { readonly escapes?: boolean }): Promise<string[]>
  /** The screen as soon as it is as wanted. */
  until(isWanted: (lines: readonly string[]) => boolean): Promise<string[]>
  hasCursor(): Promise<boolean>
}

/** Whether there is a tmux; where every test must run, there has to be one. */
export function whyNoTerminal(): string | false {
  if (spawnSync('tmux', ['-V']).status === 0) return false
  if (process.env['HEADWATERS_TEST_ALL'] === '1') throw new Error('tmux is not installed: apt-get install -y tmux')
  return 'tmux is not installed, so the look on a terminal is not tested'
}

/** Opens a terminal whose commands start in this checkout with nothing of this process's environment but the path. */
export async function openTerminal(t: Test, environment: Readonly<Record<string, string>> = {}): Promise<Terminal> {
  const socket = `headwaters-${process.pid}-${terminals++}`
  const tmux = async (...args: readonly string[]) => (await run('tmux', ['-L', socket, ...args])).stdout
  const set = Object.entries({ ...childEnvironment, LANG: 'C.UTF-8', PS1: '$ ', ...environment }).map(
    ([name, value]) => `${name}=${value}`,
  )
  await tmux(
    '-f',
    '/dev/null',
    '-u',
    'new-session',
    '-d',
    '-x',
    '80',
    '-y',
    '24',
    '-c',
    root,
    'env',
    '-u',
    'NO_COLOR',
    ...set,
    'bash',
    '--norc',
    '--noprofile',
  )
  t.teardown(() => tmux('kill-server'))

  async function screen({ escapes = false } = {}): Promise<string[]> {
    return (await tmux('capture-pane', '-p', ...(escapes ? ['-e'] : []))).trimEnd().split('\n')
  }

  return {
    type: async text => {
      await tmux('send-keys', '-l', text).then(() => tmux('send-keys', 'Enter'))
    },
    press: async key => {
      await tmux('send-keys', key)
    },
    resize: async (columns, rows) => {
      await tmux('resize-window', '-x', String(columns), '-y', String(rows))
    },
    screen,
    async until(isWanted) {
      let lines: string[] = []
      await until(async () => isWanted((lines = await screen())), { seen: () => lines })
      return lines
    },
    hasCursor: async () => (await tmux('display-message', '-p', '#{cursor_flag}')).trim() === '1',
  }
}
