import type { components } from './schema.gen'

type Schemas = components['schemas']

export type Alert = Schemas['Alert']
export type OccupancyTimeline = Schemas['OccupancyTimeline']
export type Change = Schemas['Change']
export type DemographicGroup = Schemas['DemographicGroup']
export type DwellHistogram = Schemas['DwellHistogram']
export type FilterOptions = Schemas['FilterOptions']
export type HistogramBin = Schemas['HistogramBin']
export type MergedInsight = Schemas['MergedInsight']
export type Role = Schemas['User']['role']
export type Session = Schemas['Session']
export type Source = Schemas['Source']
export type Summary = Schemas['Summary']
export type Upload = Schemas['Upload']
export type UploadPreview = Schemas['UploadPreview']
export type User = Schemas['User']
