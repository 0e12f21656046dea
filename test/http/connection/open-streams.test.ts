import { Socket } from 'node:net'
import { mock } from 'node:test'
import { test } from 'tap'
import { Problem } from '../../../src/errors.ts'
import { OpenStreams, type OpenStream } from '../../../src/http/connection/open-streams.ts'

/** Adds a stream that notes what is asked of it, and removes itself when it ends. */
function opened(streams: OpenStreams, notes: unknown[], name: string): OpenStream {
  const stream: OpenStream = {
    socket: new Socket(),
    end(problem) {
      notes.push([name, problem])
      streams.delete(stream)
    },
    check() {
      notes.push(name)
    },
  }
  streams.add(stream)
  return stream
}

test('open streams end together, each once, also if each removes itself', async t => {
  const streams = new OpenStreams(1000, () => false)
  const ended: unknown[] = []
  const first = opened(streams, ended, 'first')
  streams.delete(opened(streams, ended, 'left'))
  const second = opened(streams, ended, 'second')
  t.equal(streams.size, 2)
  const problem = new Problem('DRAINING')
  t.same([...streams.endAll(problem)], [first.socket, second.socket])
  t.same(ended, [
    ['first', problem],
    ['second', problem],
  ])
  t.equal(streams.size, 0)
})

test('open streams are checked once per second, or more often for a shorter readTimeout', async t => {
  for (const [readTimeout, every] of [
    [30_000, 1000],
    [50, 50],
  ] as const) {
    mock.timers.enable({ apis: ['setInterval'] })
    t.teardown(() => mock.timers.reset())
    const streams = new OpenStreams(readTimeout, () => false)
    const checked: unknown[] = []
    const first = opened(streams, checked, 'first')
    mock.timers.tick(every - 1)
    t.same(checked, [])
    mock.timers.tick(1)
    const second = opened(streams, checked, 'second')
    mock.timers.tick(every)
    t.same(checked, ['first', 'first', 'second'])
    streams.delete(first)
    streams.delete(second)
    mock.timers.tick(every)
    t.equal(checked.length, 3, 'no timer without a stream')
    opened(streams, checked, 'third')
    mock.timers.tick(every)
    t.equal(checked.at(-1), 'third')
    mock.timers.reset()
  }
})

test('connections close after a stream as the app says at that time', async t => {
  let isClosing = false
  const streams = new OpenStreams(1000, () => isClosing)
  t.notOk(streams.closesConnections)
  isClosing = true
  t.ok(streams.closesConnections)
})
