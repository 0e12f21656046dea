import { test } from 'tap'
import { Chunks } from '../../src/upstream/chunks.ts'

const parts = ['{"fact":', '"Cats ', 'purr."', '}'].map(part => Buffer.from(part))
const whole = parts.map(String).join('')

function gathered (told: number): string {
  const [first = Buffer.alloc(0), ...others] = parts
  const chunks = new Chunks(first, told)
  for (const part of others) chunks.add(part)
  return chunks.whole().toString()
}

test('a body in parts is what its parts are together, whatever length was told', async t => {
  for (let told = 0; told <= 12 * whole.length; told++) t.equal(gathered(told), whole, `${told} bytes were told`)
  for (const told of [NaN, Infinity, -1]) t.equal(gathered(told), whole)
})

test('a part may be overwritten by whoever sent it once enough of the told length has come', async t => {
  const first = Buffer.from('ab')
  const chunks = new Chunks(first, 4)
  first.fill('x')
  chunks.add(Buffer.from('cd'))
  t.equal(chunks.whole().toString(), 'abcd')
})

test('a length is not taken at its word by its first bytes', async t => {
  const before = process.memoryUsage().arrayBuffers
  const kept = Array.from({ length: 100 }, () => new Chunks(Buffer.from('{'), 5_000_000))
  t.ok(process.memoryUsage().arrayBuffers - before < 5_000_000)
  t.equal(kept.length, 100)
})
