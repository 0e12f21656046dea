import { runEntries } from './helpers/run-entries.ts'
import { fanOuts } from './lines/g-fan-outs.ts'

runEntries('G', 'Many calls, many callers, and those who go', fanOuts)
