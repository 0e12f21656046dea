import { suggest } from '../../core/suggest.ts'
import type { AnyAggregate } from '../aggregate.ts'
import type { Rehearsal, RehearsedFault } from './fault.ts'

/** The largest number of characters of a list of faults. */
const maxLength = 1024

/** The largest number of faults of a list. */
const maxFaults = 20

/** The longest delay, in ms. */
const maxDelay = 60_000

/** The number of characters of a wrong fault that its reason repeats. */
const shownLength = 40

/** The part of an aggregate that a list of faults refers to. */
export type RehearsedAggregate = Pick<AnyAggregate, 'steps' | 'hooks'>

/** A list of faults that was read. */
export interface ReadFaults {
  /** The faults; `undefined` for a list without a fault. */
  readonly rehearsal: Rehearsal | undefined
  /** One reason for each fault of the list that is wrong. */
  readonly reasons: readonly string[]
}

/**
 * Reads a list of faults, for example `meow=delay:500,picture=fail:503,ninja=drop`.
 *
 * @param text The list. Empty members are ignored (RFC 9110, section 5.6.1).
 */
export function readFaults(text: string, aggregate: RehearsedAggregate): ReadFaults {
  if (text.length > maxLength)
    return refused(`must have at most ${maxLength} characters, got ${text.length}: remove faults`)
  const members = text
    .split(',')
    .map(member => member.trim())
    .filter(member => member !== '')
  if (members.length > maxFaults)
    return refused(`must have at most ${maxFaults} faults, got ${members.length}: remove faults`)
  const rehearsal = new Map<number, RehearsedFault>()
  const reasons: string[] = []
  for (const member of members) {
    const reason = readMember(member, aggregate, rehearsal)
    if (reason !== undefined) reasons.push(reason)
  }
  return { rehearsal: rehearsal.size === 0 ? undefined : rehearsal, reasons }
}

function refused(reason: string): ReadFaults {
  return { rehearsal: undefined, reasons: [reason] }
}

/** Adds one fault, or returns the reason for which it is wrong. */
function readMember(
  member: string,
  aggregate: RehearsedAggregate,
  rehearsal: Map<number, RehearsedFault>,
): string | undefined {
  const at = member.indexOf('=')
  if (at === -1) return `must be STEP=FAULT, got '${shown(member)}': write for example ${shown(member)}=drop`
  const name = member.slice(0, at)
  const index = indexOf(name, aggregate)
  if (index === undefined) {
    const names = namesOf(aggregate)
    return `must name a step, got '${shown(name)}'${suggest(shown(name), names) || `: use ${names.join(', ')}`}`
  }
  if (rehearsal.has(index)) return `must name each step once, got '${name}' twice: keep one fault`
  const fault = faultOf(member.slice(at + 1))
  if (fault === undefined)
    return (
      `must have a fault of '${name}' that is delay:MS (0 to ${maxDelay}), fail:STATUS (400 to 599) or drop, ` +
      `got '${shown(member.slice(at + 1))}'`
    )
  rehearsal.set(index, fault)
  return undefined
}

/** Returns the index of a step, -1 for context(); `undefined` if the aggregate does not have the step. */
function indexOf(name: string, { steps, hooks }: RehearsedAggregate): number | undefined {
  if (name === 'context' && hooks.context !== undefined) return -1
  return steps.find(step => step.name === name)?.index
}

function namesOf({ steps, hooks }: RehearsedAggregate): string[] {
  const names = steps.map(step => step.name)
  return [...(hooks.context === undefined ? [] : ['context']), ...names]
}

function faultOf(text: string): RehearsedFault | undefined {
  if (text === 'drop') return { kind: 'drop', text }
  const at = text.indexOf(':')
  if (at === -1) return undefined
  const kind = text.slice(0, at)
  const value = wholeNumberOf(text, at + 1)
  if (kind === 'delay' && value <= maxDelay) return { kind, text, ms: value }
  if (kind === 'fail' && value >= 400 && value <= 599) return { kind, text, status: value }
  return undefined
}

/** Returns the number that the rest of a text is, with at most 5 digits; NaN for anything else. */
function wholeNumberOf(text: string, from: number): number {
  if (from === text.length || text.length - from > 5) return NaN
  for (let at = from; at < text.length; at++) if (text[at]! < '0' || text[at]! > '9') return NaN
  return Number(text.slice(from))
}

function shown(text: string): string {
  return text.length > shownLength ? `${text.slice(0, shownLength)}…` : text
}
