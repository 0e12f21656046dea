import { runEntries } from './helpers/run-entries.ts'
import { workers } from './lines/j-workers.ts'

runEntries('J', 'Workers and descriptors', workers)
