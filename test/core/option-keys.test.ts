import { test } from 'tap'
import { rejectRenamedOptions, rejectUnknownOptions } from '../../src/core/option-keys.ts'

const known = { size: true, color: true } as const
const renamed = { colour: 'color' }

test('options that exist are taken', t => {
  t.doesNotThrow(() => rejectUnknownOptions('cat', { size: 1, color: 'red' }, known))
  t.doesNotThrow(() => rejectUnknownOptions('cat', {}, known, { group: 'coat', renamed }))
  t.end()
})

test('an option that does not exist is refused with those that do, and with its group', t => {
  t.throws(
    () => rejectUnknownOptions('cat', { age: 3 }, known),
    new TypeError("cat: unknown option 'age': use size, color"),
  )
  t.throws(
    () => rejectUnknownOptions('cat', { age: 3 }, known, { group: 'coat', renamed }),
    new TypeError("cat: unknown option 'coat.age': use size, color"),
  )
  t.throws(() => rejectUnknownOptions('cat', { constructor: 3 }, known, { renamed }), /unknown option 'constructor'/)
  t.end()
})

test('an option by its old name is refused with its new name, before any unknown option', t => {
  t.throws(
    () => rejectUnknownOptions('cat', { age: 3, colour: 'red' }, known, { renamed }),
    new TypeError("cat: the option 'colour' was renamed to 'color'"),
  )
  t.throws(
    () => rejectUnknownOptions('cat', { colour: undefined }, known, { group: 'coat', renamed }),
    new TypeError("cat: the option 'coat.colour' was renamed to 'coat.color'"),
  )
  t.end()
})

test('where unknown options are allowed, only old names are refused', t => {
  t.doesNotThrow(() => rejectRenamedOptions('cat', { age: 3, constructor: 3 }, renamed))
  t.throws(
    () => rejectRenamedOptions('cat', { age: 3, colour: 'red' }, renamed),
    new TypeError("cat: the option 'colour' was renamed to 'color'"),
  )
  t.end()
})

test('options that are not an object are refused', t => {
  for (const wrong of [null, undefined, 'red', [], () => {}]) {
    t.throws(
      () => rejectUnknownOptions('cat', wrong as never, known),
      new TypeError('cat: its options must be an object with some of size, color'),
    )
    t.throws(
      () => rejectUnknownOptions('cat', wrong as never, known, { group: 'coat' }),
      new TypeError('cat: coat must be an object with some of size, color'),
    )
  }
  t.end()
})
