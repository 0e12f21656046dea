import { runEntries } from './helpers/run-entries.ts'
import { connecting } from './lines/a-connecting.ts'

runEntries('A', 'Finding an upstream and connecting to it', connecting)
