package worker

import (
	"context"
	"errors"
)

// serve does the work of the worker, with the admin server beside it.
func (p *process) serve(f flags, file *File) int {
	v := readVersion(p.app.Version)
	r := Runtime{
		File:    file,
		Log:     newLogger(p.err, f.logFormat, f.logLevel),
		Health:  NewHealth(),
		Metrics: newMetrics(p.app.Name, v),
	}
	admin, err := listenAdmin(p.app.Name, p.admin, r.Health, r.Metrics)
	if err != nil {
		r.Log.Error("cannot start", KeyError, err)
		return exitFailure
	}
	defer admin.stop()
	started := []any{KeyWorker, v.line(p.app.Name)}
	if admin.listener != nil {
		started = append(started, KeyAddr, admin.listener.Addr().String())
	}
	r.Log.Info("starting", started...)
	s := supervisor{p.signals, p.admin.Grace, r.Log, func() { r.Health.SetReady(p.app.Name, false, "stopping") }}
	if err := s.run(func(ctx context.Context) error { return p.work(ctx, r, admin) }); err != nil {
		r.Log.Error("stopped", KeyError, err)
		return exitFailure
	}
	r.Log.Info("stopped")
	return exitOK
}

// work runs the worker until it ends; an admin server that fails ends it, too.
func (p *process) work(ctx context.Context, r Runtime, admin *adminServer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	served := make(chan error, 1)
	go func() {
		err := admin.serve()
		if err != nil {
			cancel(err)
		}
		served <- err
	}()
	err := p.app.Run(ctx, r)
	admin.stop()
	return errors.Join(err, <-served)
}
