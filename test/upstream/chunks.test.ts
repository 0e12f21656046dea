import { test } from 'tap'
import { Chunks } from '../../src/upstream/chunks.ts'

const parts = ['{"fact":', '"Cats ', 'purr."', '}'].map(part => Buffer.from(part))
const whole = parts.map(String).join('')

function gathered (told: number): string {
  const [first = Buffer.alloc(0), ...more] = parts
  const chunks = new Chunks(first, told)
  for (const part of more) chunks.add(part)
  return chunks.whole().toString()
}

test('a body in parts is what its parts are together, whatever length was told', async t => {
  for (let told = 0; told <= whole.length + 3; told++) t.equal(gathered(told), whole, `${told} bytes were told`)
  t.equal(gathered(NaN), whole)
})

test('a part may be overwritten by whoever sent it once the length was told', async t => {
  const first = Buffer.from('ab')
  const chunks = new Chunks(first, 4)
  first.fill('x')
  chunks.add(Buffer.from('cd'))
  t.equal(chunks.whole().toString(), 'abcd')
})
