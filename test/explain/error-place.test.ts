import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'tap'
import { placeOf } from '../../src/explain/error-place.ts'

const folder = import.meta.dirname
const file = (name: string) => pathToFileURL(join(folder, name)).href

/** Returns the place of an error with frames. */
const placeIn = (...frames: readonly string[]) => placeOf({ stack: `Error: x\n${frames.join('\n')}` }, folder)

test('the place of an error is the first frame outside of this package', t => {
  const own = pathToFileURL(join(folder, '../../src/explain/placeholder.ts')).href
  const content = pathToFileURL(join(folder, '../../src/routes/breed.ts')).href
  t.equal(
    placeIn(`    at get (${own}:1:2)`, '    at node:internal/x:3:4', `    at fn (${file('a.ts')}:12:3)`),
    'a.ts:12',
  )
  t.equal(placeIn(`    at ${file('b.ts')}?version=2:7:1`), 'b.ts:7', 'a version of a module is not a part of its path')
  t.match(placeIn(`    at fn (${content}:9:1)`), /src.routes.breed.ts:9$/, 'the built-in aggregates are content')
  t.equal(placeOf({ stack: `at ${file('a.ts')}:1:2` }, undefined), `${join(folder, 'a.ts')}:1`)
  t.end()
})

test('an error without a frame of a file has no place', t => {
  t.equal(placeIn('    at file:///a', '    at fn (<anonymous>)', '    at file://host%:1:2'), undefined)
  t.match(placeOf(new Error('x'), folder), /^error-place.test.ts:\d+$/)
  for (const thrown of ['text', undefined, null, { stack: 7 }]) t.equal(placeOf(thrown, folder), undefined)
  t.end()
})
