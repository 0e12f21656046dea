import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { readFaults } from '../../../src/fanout/rehearsal/read-faults.ts'
import { oracle } from '../../helpers/oracle.ts'

const base = aggregate('cats', { url: '/cats' })
const cats = base
  .required('meow', () => oracle.ask({ id: 1 }))
  .optional('ninja', () => oracle.ask({ id: 2 }), { fallback: null })
  .reply(z.unknown(), () => null)
const withContext = base
  .context(() => 1)
  .required('meow', () => oracle.ask({ id: 1 }))
  .reply(z.unknown(), () => null)

const read = (text: string) => readFaults(text, cats)

test('a list of faults is read into the fault of each step', t => {
  t.same(
    [...(read('meow=delay:500, ninja=fail:503').rehearsal ?? [])],
    [
      [0, { kind: 'delay', text: 'delay:500', ms: 500 }],
      [1, { kind: 'fail', text: 'fail:503', status: 503 }],
    ],
  )
  t.same([...(read('\t meow=drop ,').rehearsal ?? [])], [[0, { kind: 'drop', text: 'drop' }]])
  t.same(
    [...(readFaults('context=delay:0', withContext).rehearsal ?? [])],
    [[-1, { kind: 'delay', text: 'delay:0', ms: 0 }]],
  )
  t.end()
})

test('a list without a fault is a run without faults', t => {
  for (const text of ['', ' ', ',', ' , ,'])
    t.same(read(text), { rehearsal: undefined, reasons: [] }, JSON.stringify(text))
  t.end()
})

test('a list reports each of its faults that is wrong', t => {
  t.same(read('mew=drop,meow,ninja=delay:-1,meow=drop,meow=drop').reasons, [
    "must name a step, got 'mew': did you mean 'meow'?",
    "must be STEP=FAULT, got 'meow': write for example meow=drop",
    "must have a fault of 'ninja' that is delay:MS (0 to 60000), fail:STATUS (400 to 599) or drop, got 'delay:-1'",
    "must name each step once, got 'meow' twice: keep one fault",
  ])
  t.same(readFaults('x=drop', withContext).reasons, ["must name a step, got 'x': use context, meow"])
  t.end()
})

test('a fault with a wrong kind or a wrong value is refused', t => {
  for (const fault of [
    '',
    'fail',
    'delay',
    'fail:',
    'delay:',
    'fail:399',
    'fail:600',
    'fail:0503',
    'delay:60001',
    'delay:100000',
    'delay:1e3',
    'delay: 5',
    'delay:5ms',
    'delay:½',
    'drop:1',
    'DROP',
    'drop ok',
    'throw:1',
    '__proto__:1',
  ]) {
    const { rehearsal, reasons } = read(`meow=${fault}`)
    // Five digits are the value 503 with zeros in front.
    if (fault === 'fail:0503') t.equal(rehearsal?.size, 1, fault)
    else t.match([rehearsal, reasons], [undefined, [/^must have a fault of 'meow' that is/]], fault)
  }
  t.end()
})

test('a property of every object is not the name of a step', t => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', 'context', '0', '-1', ''])
    t.match(read(`${name}=drop`), { rehearsal: undefined, reasons: [/^must name a step/] }, name)
  t.end()
})

test('a long list and a list with many faults are refused with one reason', t => {
  t.same(read('a'.repeat(1025)).reasons, ['must have at most 1024 characters, got 1025: remove faults'])
  t.same(read('a=drop,'.repeat(21)).reasons, ['must have at most 20 faults, got 21: remove faults'])
  t.equal(read('a=drop,'.repeat(20)).reasons.length, 20)
  t.ok(
    read(`meow=${'x'.repeat(1000)}`).reasons.every(reason => reason.length < 200),
    'a reason repeats only a part',
  )
  t.end()
})

test('any text gives faults of steps of the aggregate, or a reason', t => {
  const part = fc.oneof(
    fc.constantFrom(
      'meow',
      'ninja',
      'context',
      '=',
      ',',
      ' ',
      ':',
      'delay',
      'fail',
      'drop',
      '503',
      '60000',
      '__proto__',
    ),
    fc.string({ maxLength: 4 }),
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), parts => {
      const text = parts.join('')
      const { rehearsal, reasons } = read(text)
      const members = text.split(',').filter(member => member.trim() !== '').length
      const isWhole = (rehearsal?.size ?? 0) + reasons.length === members || reasons.length === 1
      return isWhole && [...(rehearsal ?? [])].every(([index, { text: fault }]) => index <= 1 && text.includes(fault))
    }),
    { numRuns: 500 },
  )
  t.end()
})
