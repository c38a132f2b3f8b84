using Commerce.Saml.Tests.Fuzz;

return args is ["fuzz", .. var arguments] ? FuzzRun.Command(arguments) : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);
