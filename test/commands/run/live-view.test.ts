import { PassThrough } from 'node:stream'
import type { WriteStream } from 'node:tty'
import { test, type Test } from 'tap'
import { liveView } from '../../../src/commands/run/live-view.ts'

/** A terminal that keeps each write. */
function writes(t: Test, columns: number, rows: number) {
  const written: string[] = []
  const terminal = Object.assign(new PassThrough(), { columns, rows }) as unknown as WriteStream & {
    columns: number
    rows: number
  }
  terminal.on('data', (part: Buffer) => {
    written.push(part.toString())
  })
  t.teardown(() => terminal.destroy())
  return { terminal, written }
}

const frame = (up: string, ...lines: string[]) =>
  `\x1b[?7l${up}\r${lines.map(line => `${line}\x1b[K\n`).join('')}\x1b[J\x1b[?7h`

test('each frame is one write over the one before, and the cursor is away while it lasts', async t => {
  const { terminal, written } = writes(t, 80, 24)
  let lines = ['one', 'two']
  const view = liveView(terminal, () => lines)
  lines = ['one', 'changed', 'three']
  terminal.emit('resize')
  view.end()
  t.same(written, [
    '\x1b[?25l',
    frame('', 'one', 'two'),
    frame('\x1b[2A', 'one', 'changed', 'three'),
    frame('\x1b[3A', 'one', 'changed', 'three'),
    '\x1b[?25h',
  ])
})

test('a drawing that is removed leaves nothing', async t => {
  const { terminal, written } = writes(t, 80, 24)
  liveView(terminal, () => ['one', 'two']).remove()
  t.same(written.slice(2), [frame('\x1b[2A'), '\x1b[?25h'])
})

test('no more is drawn than the terminal is high, until the last frame, which is whole', async t => {
  const { terminal, written } = writes(t, 80, 3)
  const view = liveView(terminal, () => ['1', '2', '3', '4', '5'])
  view.end()
  t.same(written.slice(1, 3), [frame('', '1', '2'), frame('\x1b[2A', '1', '2', '3', '4', '5')])
})

test('lines that a narrower terminal has broken are drawn over whole', async t => {
  const { terminal, written } = writes(t, 80, 24)
  const view = liveView(terminal, columns => [`\x1b[32m${'x'.repeat(columns - 1)}\x1b[0m`, 'short'])
  terminal.columns = 30
  terminal.emit('resize')
  t.match(written[2], '\x1b[4A', 'the one of 79 is three rows by now')
  view.end()
})

test('when it has ended it draws no more and listens to nothing', async t => {
  const { terminal, written } = writes(t, 80, 24)
  const before = process.listenerCount('exit')
  const view = liveView(terminal, () => ['one'])
  view.end()
  const count = written.length
  terminal.emit('resize')
  t.equal(written.length, count)
  t.equal(process.listenerCount('exit'), before)
})
