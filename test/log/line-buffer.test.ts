import fc from 'fast-check'
import { test } from 'tap'
import { LineBuffer } from '../../src/log/line-buffer.ts'

/** Takes all that waits, in writes of at most `largest` bytes of which each is taken whole or in part. */
function drain(
  buffer: LineBuffer,
  largest: number,
  takenOf: (bytes: number) => number,
): { readonly text: string; readonly writes: readonly string[] } {
  const writes: string[] = []
  for (let { first } = buffer; first !== undefined; { first } = buffer) {
    const asked = buffer.nextBytes(largest)
    const taken = Math.max(1, takenOf(asked))
    writes.push(first.bytes.subarray(first.from, first.from + taken).toString('latin1'))
    buffer.remove(taken)
  }
  return { text: Buffer.from(writes.join(''), 'latin1').toString(), writes }
}

const line = fc
  .string({ unit: 'grapheme', maxLength: 300 })
  .map(text => `${text.replaceAll('\n', ' ').toWellFormed()}\n`)

test('lines come out as they went in, whatever a write takes, and memory is given back', async () => {
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 40 }),
      fc.integer({ min: 1, max: 4096 }),
      fc.integer({ min: 1, max: 100 }),
      (lines, largest, percent) => {
        const buffer = new LineBuffer(1e9)
        for (const each of lines) if (!buffer.add(each)) return false
        const { text } = drain(buffer, largest, bytes => Math.floor((bytes * percent) / 100))
        return text === lines.join('') && buffer.held === 0
      },
    ),
  )
})

test('a write is whole lines that fit, or one line', async () => {
  fc.assert(
    fc.property(
      fc.array(line, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 1024 }),
      (lines, largest) => {
        const buffer = new LineBuffer(1e9)
        for (const each of lines) buffer.add(each)
        return drain(buffer, largest, bytes => bytes).writes.every(
          each => each.endsWith('\n') && (each.length <= largest || each.indexOf('\n') === each.length - 1),
        )
      },
    ),
  )
})

test('memory is bounded whatever the lines are, and a line is kept whole or not at all', async () => {
  const limit = 256 * 1024
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 200 }), lengths => {
      const buffer = new LineBuffer(limit)
      const kept = lengths.map(length => `${'x'.repeat(length)}\n`).filter(each => buffer.add(each))
      if (buffer.held > limit) return false
      return drain(buffer, 4096, bytes => bytes).text === kept.join('')
    }),
  )
})

test('text without a newline is written too, and counts as no line', async t => {
  const buffer = new LineBuffer(1e6)
  buffer.add('a'.repeat(5000))
  t.equal(buffer.nextBytes(4096), 5000)
  t.equal(buffer.linesIn(5000), 0)
  buffer.add('b\nc')
  t.equal(buffer.nextBytes(4096), 5002)
  t.equal(buffer.linesIn(5002), 1)
})

test('isWithinLine is true exactly while a line was written in part', async t => {
  const buffer = new LineBuffer(1e6)
  buffer.add('one\n')
  buffer.add('two\n')
  t.equal(buffer.isWithinLine, false)
  buffer.remove(2)
  t.equal(buffer.isWithinLine, true)
  buffer.remove(2)
  t.equal(buffer.isWithinLine, false)
  buffer.leave(4)
  t.equal(buffer.isWithinLine, false)
  t.equal(buffer.first, undefined)
})
