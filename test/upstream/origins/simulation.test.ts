import { test } from 'tap'
import { formatTable } from '../../../src/commands/load/format.ts'
import { allEqual, oneSlow, pickerNames, simulateSeeds, simulationRows } from '../../helpers/simulated-origins.ts'

const seeds = 20

test('one slow origin of ten gets at most 2 % of the calls, and peak EWMA has the lowest p99 with each seed', t => {
  const results = simulateSeeds(oneSlow, seeds)
  t.comment(`${seeds} seeds, one of ten origins slower by 10 ×:\n${formatTable(simulationRows(results))}`)
  for (const [index, { p99, share }] of results['P2C with peak EWMA'].entries()) {
    t.ok(share > 0 && share <= 0.02, `seed ${index + 1}: the slow origin got ${(share * 100).toFixed(2)} %`)
    for (const name of pickerNames)
      t.ok(p99 <= (results[name][index]?.p99 ?? 0), `seed ${index + 1}: the p99 is at most that of ${name}`)
  }
  t.end()
})

test('peak EWMA divides the calls of ten equal origins, and its p99 is at most 5 % above that of the other pickers', t => {
  const results = simulateSeeds(allEqual, seeds)
  t.comment(`${seeds} seeds, ten equal origins at 70 % load:\n${formatTable(simulationRows(results))}`)
  for (const [index, { p99, share }] of results['P2C with peak EWMA'].entries()) {
    t.ok(share > 0.07 && share < 0.13, `seed ${index + 1}: the first origin got ${(share * 100).toFixed(2)} %`)
    for (const name of pickerNames)
      t.ok(p99 <= 1.05 * (results[name][index]?.p99 ?? 0), `seed ${index + 1}: the p99 beside that of ${name}`)
  }
  t.end()
})
