import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { test } from 'tap'
import { BodyBuffer } from '../../../src/upstream/transport/body-buffer.ts'

const parts = ['{"fact":', '"Cats ', 'purr."', '}'].map(part => Buffer.from(part))
const whole = parts.map(String).join('')

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function gathered(chunks: readonly Buffer[], length: number): Buffer {
  const [first = Buffer.alloc(0), ...others] = chunks
  const body = new BodyBuffer(first, length)
  for (const part of others) body.add(part)
  return body.toBuffer()
}

/** Returns what is held, in bytes, once garbage is collected. */
function held(): number {
  // V8 frees the memory of dead buffers beside its work, and has done so by the next collection.
  for (let times = 0; times < 3; times++) collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Collects a body of chunks without a known length, and returns the bytes that it holds per byte of it. */
function cost(chunkOf: (at: number) => Buffer, count: number): number {
  const before = held()
  const body = new BodyBuffer(chunkOf(0), 0)
  for (let at = 1; at < count; at++) body.add(chunkOf(at))
  const after = held()
  return (after - before) / body.toBuffer().length
}

test('a body in parts is the concatenation of its parts, whatever its Content-Length', async t => {
  for (let told = 0; told <= 12 * whole.length; told++)
    t.equal(gathered(parts, told).toString(), whole, `${told} bytes were told`)
  for (const told of [NaN, Infinity, -1]) t.equal(gathered(parts, told).toString(), whole)
})

test('a body is the concatenation of its chunks, whatever their sizes and its Content-Length', async t => {
  const size = fc.oneof(
    fc.integer({ min: 0, max: 20 }),
    fc.integer({ min: 0, max: 5000 }),
    fc.integer({ min: 60_000, max: 70_000 }),
  )
  const chunk = fc.record({ size, byte: fc.integer({ min: 0, max: 255 }), isSlice: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(chunk, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 0, max: 200_000 }),
      (list, length) => {
        const chunks = list.map(({ size, byte, isSlice }) =>
          isSlice ? Buffer.alloc(3 * size + 1, byte).subarray(0, size) : Buffer.alloc(size, byte),
        )
        t.ok(gathered(chunks, length).equals(Buffer.concat(chunks)))
      },
    ),
  )
})

test('the sender may overwrite a part after enough of Content-Length has arrived', async t => {
  const first = Buffer.from('ab')
  const chunks = new BodyBuffer(first, 4)
  first.fill('x')
  chunks.add(Buffer.from('cd'))
  t.equal(chunks.toBuffer().toString(), 'abcd')
})

test('Content-Length is not preallocated when its first bytes arrive', async t => {
  const before = process.memoryUsage().arrayBuffers
  const kept = Array.from({ length: 100 }, () => new BodyBuffer(Buffer.from('{'), 5_000_000))
  t.ok(process.memoryUsage().arrayBuffers - before < 5_000_000)
  t.equal(kept.length, 100)
})

test('a body holds little more than its bytes, however small its chunks are and whatever they are slices of', async t => {
  const slice = (size: number, of: number) => () => Buffer.allocUnsafeSlow(of).subarray(0, size)
  t.ok(cost(slice(1, 64), 400_000) < 10, 'chunks of one byte')
  t.ok(cost(slice(1, 65_536), 4000) < 1000, 'chunks of one byte of a large network buffer')
  t.ok(cost(slice(3000, 65_536), 300) < 3, 'small slices of a large network buffer')
  t.ok(cost(slice(40_000, 65_536), 50) < 3, 'large slices')
  t.ok(
    cost(at => (at % 2 === 0 ? Buffer.allocUnsafeSlow(1) : Buffer.allocUnsafeSlow(4096)), 2000) < 3,
    'small and large chunks by turns',
  )
})
