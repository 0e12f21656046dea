import fc from 'fast-check'
import { test } from 'tap'
import { exchange } from './helpers/exchange.ts'
import { hostileApp } from './helpers/hostile-app.ts'
import { judge } from './helpers/judge.ts'
import type { Expected } from './helpers/line.ts'
import { wireRequest } from './helpers/wire-request.ts'

/** Whatever a name may be: any text, and more often than chance would have it what climbs. */
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 70 }),
  fc
    .array(
      fc.constantFrom(
        '.',
        '..',
        '/',
        '\\',
        '%2e',
        '%2f',
        '%5c',
        '%',
        '2e',
        '2f',
        '25',
        '%25',
        ';',
        '?',
        '#',
        '\0',
        '\r\n',
        'a',
      ),
      { maxLength: 8 },
    )
    .map(parts => parts.join('')),
)

/** Whatever a query may be: any text, encoded or as it is, and names and signs that mean something. */
const query = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }).map(encodeURIComponent),
      fc.string({ unit: 'binary-ascii', maxLength: 20 }),
      fc.constantFrom(
        'count=',
        'facts=',
        'max_length=',
        '&',
        '=',
        '[]',
        '%',
        '%zz',
        '%ff',
        '__proto__',
        '0',
        '5',
        '-1',
        '1e309',
        '0x5',
        ';',
        '#',
        '?',
      ),
    ),
    { maxLength: 10 },
  )
  .map(parts => parts.join(''))

const answers: readonly Expected[] = [
  '200',
  '400 BAD_REQUEST',
  '400 INPUT_INVALID',
  '400 CALL_INPUT_INVALID',
  '404 REFUSED',
  '404 NOT_FOUND',
]
const plain = { expect: answers, before: 0, ends: false, isBare: false, hides: undefined }
const numRuns = 400

test('whatever the breed and the title are, the answer is in order and no upstream sees a path outside its templates', async t => {
  const app = await hostileApp(t)
  await fc.assert(
    fc.asyncProperty(name, fc.constantFrom('breeds', 'articles'), async (text, room) => {
      const bytes = wireRequest({ target: `/v1/${room}/${encodeURIComponent(text)}` })
      const known = app.strays().length
      const faults = [...judge(plain, await exchange(app.port, { ...plain, bytes })), ...app.strays().slice(known)]
      if (faults.length > 0) throw new Error(faults.join('; '))
    }),
    { numRuns },
  )
  t.same(app.errors(), [])
  t.ok(app.asked() > 0, 'upstreams were asked')
})

test('whatever the query is, the answer is in order and no upstream sees a path outside its templates', async t => {
  const app = await hostileApp(t)
  await fc.assert(
    fc.asyncProperty(query, fc.constantFrom('/v1/cat-facts', '/v1/breeds/siamese'), async (text, path) => {
      const bytes = wireRequest({ target: `${path}?${text}` })
      const known = app.strays().length
      const faults = [...judge(plain, await exchange(app.port, { ...plain, bytes })), ...app.strays().slice(known)]
      if (faults.length > 0) throw new Error(faults.join('; '))
    }),
    { numRuns },
  )
  t.same(app.errors(), [])
  t.ok(app.asked() > 0, 'upstreams were asked')
})
