/** The path of a file on this laptop, typed or picked. */
import type { CallInput } from '../../preload/contract/calls.ts';
import { call } from '../api.ts';
import { PathField, type PathProps } from './PathField.tsx';

interface Props extends PathProps {
  what: CallInput<'pick.file'>['what'];
}

export const FileField = ({ what, ...field }: Props) => (
  <PathField {...field} pick={() => call('pick.file', { what })} />
);
