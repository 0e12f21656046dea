import t from 'tap'
import { measure } from '../../../bench/compare/measure/measure.ts'
import { accounted } from '../../../bench/lib/process-files.ts'
import { readRows, usual } from '../../../bench/compare/workload/row.ts'
import { childEnvironment } from '../../helpers/child-environment.ts'

// The servers of the bench inherit the environment of this process.
Object.assign(process.env, childEnvironment)
t.setTimeout(120_000)

t.test(
  'a run has a window of each target in each round of each row',
  { skip: accounted ? false : 'the CPU time of a process cannot be measured on this machine', timeout: 120_000 },
  async test => {
    const rows = readRows('1,3+1kb+2callers', { ...usual, callers: 4 })
    const targets = ['serve', 'floor-dispatch', 'floor-dispatch-twin']
    const notes: string[] = []
    const {
      rows: measured,
      labels,
      idleBytes,
      targets: ran,
    } = await measure(
      {
        case: 'serve',
        targets,
        rows,
        rounds: 2,
        windowMs: 50,
        filler: 'fields',
        delayMs: 0,
        slowMs: 0,
        foreignLimit: Infinity,
      },
      line => notes.push(line),
    )
    test.same(notes, [])
    test.same(ran, targets)
    test.same(labels, {
      serve: 'Headwaters',
      'floor-dispatch': 'pool.dispatch',
      'floor-dispatch-twin': 'pool.dispatch',
    })
    test.same(
      measured.map(({ row }) => row),
      rows,
    )
    for (const { windows, dropped, row } of measured) {
      test.same(dropped, [])
      test.same(
        windows.map(({ target }) => target),
        [...targets, ...targets.slice(1), targets[0]],
      )
      for (const window of windows) {
        test.equal(window.fanout, row.fanout)
        test.ok(window.cpuMicrosPerCall > 0)
        test.ok(window.peakBytes >= (idleBytes[window.target] ?? Infinity) / 2)
      }
    }
  },
)
