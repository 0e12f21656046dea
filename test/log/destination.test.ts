import { execFileSync } from 'node:child_process'
import { closeSync, constants, ftruncateSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { test, type Test } from 'tap'
import { Destination, gatherMs } from '../../src/log/destination.ts'
import { until } from '../helpers/until.ts'

const line = (index: number) => `${JSON.stringify({ index, text: 'x'.repeat(200) })}\n`

/** A pipe with a name whose two ends are here: nothing is read from it until `read` is called. */
function pipe(t: Test) {
  const path = join(t.testdir(), 'pipe')
  execFileSync('mkfifo', [path])
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writing = openSync(path, constants.O_WRONLY)
  t.teardown(() => {
    for (const fd of [reading, writing]) closeSync(fd)
  })
  return {
    fd: writing,
    path,
    close: () => closeSync(reading),
    /** All that is in the pipe. */
    read: () => {
      const bytes = Buffer.alloc(1024 * 1024)
      try {
        return bytes.toString('latin1', 0, readSync(reading, bytes))
      } catch {
        return ''
      }
    },
  }
}

const indexes = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map(each => (JSON.parse(each) as { readonly index: number }).index)

/** Reads until the destination has written `count` lines. */
async function readLines(read: () => string, count: number): Promise<string> {
  let text = ''
  await until(() => {
    text += read()
    return text.split('\n').length - 1 >= count
  })
  return text
}

test('lines reach a pipe in order, and the descriptor that others share stays as it was', async t => {
  const { fd, read } = pipe(t)
  const flags = () => /flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
  const before = flags()
  const destination = new Destination({ fd })
  for (let index = 0; index < 10; index++) destination.write(line(index))
  t.same(indexes(await readLines(read, 10)), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.equal(flags(), before)
  t.equal(destination.lost, 0)
})

for (const kind of ['whose writes end at once', 'whose writes end in a thread'])
  test(`the first line is written at once, and the lines of the next milliseconds together, to an output ${kind}`, async t => {
    const writes: string[] = []
    const destination = new Destination({
      output: {
        largest: 64 * 1024,
        mayBlock: false,
        write(bytes, from, count, done) {
          writes.push(bytes.toString('latin1', from, from + count))
          if (kind.endsWith('once')) done(null, count)
          else setImmediate(done, null, count)
        },
        writeNow: () => 0,
      },
    })
    const startedAt = performance.now()
    destination.write(line(0))
    t.same(indexes(writes.join('')), [0])
    for (let index = 1; index <= 200; index++) {
      await turn()
      destination.write(line(index))
    }
    await until(() => writes.join('').split('\n').length > 201)
    const most = 2 + (performance.now() - startedAt) / gatherMs
    t.ok(writes.length <= most, `${writes.length} writes, of at most ${most.toFixed(1)}`)
    t.same(
      indexes(writes.join('')),
      Array.from({ length: 201 }, (_, index) => index),
    )
  })

test('an empty text writes nothing and keeps neither the lines after it nor the event loop', async t => {
  const { fd, read } = pipe(t)
  const file = join(t.testdir(), 'log')
  const writing = openSync(file, 'w')
  t.teardown(() => closeSync(writing))
  for (const each of [fd, writing]) {
    const destination = new Destination({ fd: each })
    destination.write('')
    destination.write(line(0))
    destination.write('')
    destination.write(line(1))
    t.ok(destination.flushWithin(0))
    t.equal(destination.lost, 0)
  }
  t.same(indexes(await readLines(read, 2)), [0, 1])
  // A thread may still write the first line of the file when the second one is there.
  await until(() => readFileSync(file, 'utf8').split('\n').length === 3)
  t.same(
    indexes(readFileSync(file, 'utf8')).toSorted((one, other) => one - other),
    [0, 1],
  )
})

test(
  'while nothing reads, a bounded number of bytes waits; the others are ' +
    'counted, and a line says so when the reader is back',
  async t => {
    const { fd, read } = pipe(t)
    const limit = 128 * 1024
    const destination = new Destination({ fd, limit })
    const told: number[] = []
    destination.onRecovered = lost => {
      told.push(lost)
      destination.write(`${JSON.stringify({ index: -1, lost })}\n`)
    }
    const total = 5000
    for (let index = 0; index < total; index++) {
      destination.write(line(index))
      if (index % 100 === 0) await turn()
    }
    const { lost } = destination
    t.ok(lost > total / 2, `${lost} of ${total} lines were lost`)
    t.same(told, [])
    const all = indexes(await readLines(read, total - lost + 1))
    t.same(
      all.filter(index => index >= 0),
      Array.from({ length: total - lost }, (_, index) => index),
      'the first ones are all there',
    )
    t.ok(all.includes(-1))
    t.same(told, [lost])
    destination.write(line(total))
    t.same(indexes(await readLines(read, 1)), [total])
  },
)

test('a device that is full loses lines and nothing else', async t => {
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  const destination = new Destination({ fd: full })
  for (let index = 0; index < 1000; index++) destination.write(line(index))
  await until(() => destination.lost >= 1000)
  t.equal(destination.lost, 1000)
  destination.write(line(1000))
  await until(() => destination.lost >= 1001)
  t.equal(destination.lost, 1001)
})

test('a pipe whose reader has gone loses lines, and one with a new reader is written again', async t => {
  const { fd, path, close } = pipe(t)
  const destination = new Destination({ fd })
  const told: number[] = []
  destination.onRecovered = lost => told.push(lost)
  close()
  for (let index = 0; index < 3; index++) destination.write(line(index))
  await until(() => destination.lost >= 3)
  const reading = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  destination.write(line(3))
  const bytes = Buffer.alloc(4096)
  await until(() => told.length > 0)
  t.same(indexes(bytes.toString('latin1', 0, readSync(reading, bytes))), [3])
  t.same(told, [3])
})

test('a descriptor that is closed is not written again, since its number may be given to a connection', async t => {
  const path = join(t.testdir({ log: '' }), 'log')
  const fd = openSync(path, 'a')
  const destination = new Destination({ fd })
  closeSync(fd)
  destination.write(line(0))
  await until(() => destination.lost >= 1)
  const other = openSync(path, 'a+')
  t.teardown(() => closeSync(other))
  t.equal(other, fd, 'the number is in use again')
  destination.write(line(1))
  await turn()
  t.ok(destination.flushWithin(0))
  t.equal(destination.lost, 2)
  t.equal(readFileSync(path, 'utf8'), '')
  ftruncateSync(other)
})

test('a process that exits writes what can be written, and waits for a reader only so long', async t => {
  const { fd, read } = pipe(t)
  const destination = new Destination({ fd })
  for (let index = 0; index < 1000; index++) destination.write(line(index))
  const before = performance.now()
  t.ok(destination.flushWithin(20))
  const elapsed = performance.now() - before
  t.ok(elapsed >= 20 && elapsed < 2000, `${elapsed.toFixed(0)} ms`)
  const text = read()
  t.same(
    indexes(text),
    Array.from({ length: text.split('\n').length - 1 }, (_, index) => index),
    'whole lines',
  )
  t.equal(destination.lost, 0)
})

test('a file gets every line, also those that were written while a write was under way', async t => {
  const path = join(t.testdir({ log: '' }), 'log')
  const fd = openSync(path, 'a')
  t.teardown(() => closeSync(fd))
  const destination = new Destination({ fd })
  for (let index = 0; index < 2000; index++) {
    destination.write(line(index))
    if (index % 7 === 0) await turn()
  }
  await until(() => readFileSync(path, 'utf8').split('\n').length > 2000)
  t.same(
    indexes(readFileSync(path, 'utf8')),
    Array.from({ length: 2000 }, (_, index) => index),
  )
})

test('a process that exits while a thread writes to a file leaves that write to the thread and writes the rest', async t => {
  const path = join(t.testdir({ log: '' }), 'log')
  const fd = openSync(path, 'a')
  t.teardown(() => closeSync(fd))
  const destination = new Destination({ fd })
  for (let index = 0; index < 100; index++) destination.write(line(index))
  await turn()
  for (let index = 100; index < 200; index++) destination.write(line(index))
  t.ok(destination.flushWithin(0))
  await until(() => readFileSync(path, 'utf8').split('\n').length > 200)
  t.same(
    indexes(readFileSync(path, 'utf8')).toSorted((a, b) => a - b),
    Array.from({ length: 200 }, (_, index) => index),
  )
})

test('a process does not wait for a thread that may be stuck in a write', async t => {
  const { fd } = pipe(t)
  // A terminal that cannot be opened again is written by a thread, as here a pipe that blocks.
  const destination = new Destination({
    output: {
      largest: 4096,
      mayBlock: true,
      write: () => {},
      writeNow: (bytes, from, count) => writeSync(fd, bytes, from, count),
    },
  })
  t.ok(destination.flushWithin(0), 'nothing is under way')
  destination.write(line(0))
  t.notOk(destination.flushWithin(0), 'it counts as stuck at once')
  t.ok(destination.flushWithin(60_000), 'it began less than a minute ago')
})
