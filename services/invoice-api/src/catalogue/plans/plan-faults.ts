import { DomainError } from '@billtrail/domain'

export const planNotFound = (idOrCode: string): DomainError =>
  new DomainError('not_found', 'plan_not_found', `There is no plan ${idOrCode}.`)

export const planNotActive = (idOrCode: string): DomainError =>
  new DomainError('conflict', 'plan_not_active', `The plan ${idOrCode} has no active version.`)
