import fc from 'fast-check'
import { test } from 'tap'
import { codeOfNumber, numberOfCode } from '../../src/kept/codes.ts'
import { packed, unpacked } from '../../src/kept/packed-values.ts'
import { Entry, mostCalls, mostNumbers, numbersOfEntry, Tape, TapePool } from '../../src/kept/tape.ts'
import { oracle } from '../helpers/oracle.ts'

test('three numbers in one value are read as they were written', t => {
  const number = fc.integer({ min: 0, max: 65_535 })
  fc.assert(
    fc.property(number, number, number, (first, second, third) => {
      t.same(unpacked(packed(first, second, third)), [first, second, third])
    }),
  )
  t.same(unpacked(packed(1, 1_000_000, 599)), [1, 65_535, 599], 'the attempts of a call have no limit')
  t.end()
})

test('a code has one number, and the number of codes is limited', t => {
  t.equal(numberOfCode(undefined), 0)
  t.equal(codeOfNumber(0), null)
  const number = numberOfCode('UPSTREAM_RESET')
  t.equal(numberOfCode('UPSTREAM_RESET'), number)
  t.equal(codeOfNumber(number), 'UPSTREAM_RESET')
  for (let count = 0; count < 1000; count++) numberOfCode(`CODE_${count}`)
  t.equal(codeOfNumber(numberOfCode('ONE_TOO_MANY')), 'OTHER')
  t.equal(codeOfNumber(numberOfCode('UPSTREAM_RESET')), 'UPSTREAM_RESET')
  t.end()
})

const { spec } = oracle.ask({ id: 'a' })

test('a tape has a limit, and counts the calls above it', t => {
  const tape = new Tape()
  for (let call = 0; call < mostCalls + 7; call++) tape.addCall(spec, '/a', 0, call, 0)
  t.equal(tape.specs.length, mostCalls)
  t.equal(tape.omittedCalls, 7)
  for (let count = 0; count < mostNumbers; count++) tape.add(Entry.stepStarted, 0, 0, 0, 0)
  t.equal(tape.length, mostNumbers)
  t.equal(tape.length % numbersOfEntry, 0)
  t.end()
})

test('a tape from the pool has nothing of the run before', t => {
  const pool = new TapePool()
  const tape = pool.take()
  tape.addCall(spec, '/secret', 0, 0, 0)
  pool.give(tape)
  t.equal(pool.take(), tape)
  t.same([tape.length, tape.specs, tape.paths, tape.omittedCalls], [0, [], [], 0])
  t.not(pool.take(), tape, 'a tape in use is not in the pool')
  t.end()
})

test('a tape that has become large is not used again', t => {
  const pool = new TapePool()
  const tape = pool.take()
  for (let count = 0; count < 1000; count++) tape.add(Entry.stepStarted, 0, 0, 0, 0)
  pool.give(tape)
  t.not(pool.take(), tape)
  t.end()
})
