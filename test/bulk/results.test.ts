import fc from 'fast-check'
import { test } from 'tap'
import { Journal } from '../../src/bulk/journal.ts'
import { namesOf, numbered } from '../../src/bulk/names.ts'
import { encodeChunk } from '../../src/bulk/result-chunk.ts'
import { Results } from '../../src/bulk/results.ts'
import { MemoryStore } from './helpers/memory-store.ts'
import { createRun, id, numbers, owner, readResults } from './helpers/runs.ts'

const run = { owner, id, upload: '1-1' }
const counts = { succeeded: 1, partial: 2, failed: 3 }

async function addChunk(store: MemoryStore, number: number, lines: readonly string[]): Promise<void> {
  await store.create(`${namesOf(run).results}/${numbered(number)}`, encodeChunk(lines, counts))
}

async function collected(results: Results, start: number, end: number): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of results.read({ start, end })) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

test('every range of the results has the bytes of the whole text', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.string({ maxLength: 20, unit: 'grapheme' }), { maxLength: 5 }), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.nat(300),
      fc.nat(300),
      async (chunks, from, length) => {
        const store = new MemoryStore()
        for (const [index, lines] of chunks.entries()) await addChunk(store, index + 1, lines)
        const whole = Buffer.from(chunks.flat().join(''))
        const { results, text } = await readResults(store, run)
        t.equal(text, whole.toString())
        t.equal(results.bytes, whole.length)
        const start = Math.min(from, whole.length)
        const end = Math.min(start + length, whole.length)
        t.equal(await collected(results, start, end), whole.subarray(start, end).toString())
      },
    ),
    { numRuns: 100 },
  )
})

test('results can be read up to the first chunk that is missing, and all of them count', async t => {
  const store = new MemoryStore()
  await addChunk(store, 1, ['a\n'])
  await addChunk(store, 3, ['c\n'])
  const { results, text } = await readResults(store, run)
  t.equal(text, 'a\n')
  t.same([results.size, results.counts], [2, { succeeded: 2, partial: 4, failed: 6 }])
  await addChunk(store, 2, ['b\n'])
  await results.refresh()
  results.add(2, { ...counts, bytes: 2 })
  t.equal(await collected(results, 0, results.bytes), 'a\nb\nc\n')
  t.equal(results.size, 3)
})

test('results that are removed while they are read are an error', async t => {
  const store = new MemoryStore()
  await addChunk(store, 1, ['a\n'])
  const { results } = await readResults(store, run)
  store.objects.clear()
  await t.rejects(collected(results, 0, 2), { message: /were removed while they were read/ })
})

test('a chunk that is removed between the list and its summary does not count', async t => {
  const store = new MemoryStore()
  await addChunk(store, 1, ['a\n'])
  const results = new Results(store, run)
  store.read = async () => undefined
  await results.refresh()
  t.equal(results.size, 0)
})

test('a run keeps its inputs when another run with its id is created', async t => {
  const store = new MemoryStore()
  const journal = new Journal(store)
  const first = await createRun(journal, numbers(1))
  const second = await createRun(journal, numbers(2))
  t.equal(second.digest, first.digest)
  t.equal(second.items, 1)
  t.equal(await journal.find(owner, 'not an id'), undefined)
  t.equal(await journal.find(owner, 'f'.repeat(32)), undefined)
  t.equal(await journal.find('b'.repeat(32), id), undefined)
  t.same(
    (await journal.runsOf(owner)).map(each => each.id),
    [id],
  )
  t.same(await journal.runsOf('b'.repeat(32)), [])
})
